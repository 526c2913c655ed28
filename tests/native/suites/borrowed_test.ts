// These create their loops by the policy, which this sets first.
import "../_native.ts";

await import("../../transports/core/datagram_test.ts");
await import("../../transports/core/engine_context_test.ts");
await import("../../transports/endpoints/create_connection_test.ts");
await import("../../transports/endpoints/create_server_test.ts");
await import("../../transports/endpoints/tcp_addresses_test.ts");
await import("../../transports/endpoints/wrong_sock_test.ts");
await import("../../transports/streams/streams_test.ts");
await import("../../transports/tls/start_tls_test.ts");
