// Runs by the policy, which this sets first.
import "../_native.ts";

await import("../../peers/tls_test.ts");
await import("../../peers/certificate_names_test.ts");
