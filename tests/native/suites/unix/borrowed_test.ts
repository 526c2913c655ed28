// These create their loops by the policy, which this sets first.
import "../../_native.ts";

await import("../../../unix/streams_test.ts");
await import("../../../unix/unix_path_test.ts");
await import("../../../unix/unix_streams_test.ts");
await import("../../../unix/unix_tls_test.ts");
