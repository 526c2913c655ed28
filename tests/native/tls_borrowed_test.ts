// These create their loops by the policy, and take their TLS from the host, which this sets first.
import "./_native.ts";

await import("../transports/tls/tls_channel_states_test.ts");
await import("../transports/tls/tls_channel_test.ts");
await import("../transports/tls/tls_handshake_test.ts");
