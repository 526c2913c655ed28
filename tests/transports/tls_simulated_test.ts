// TLS over the links of a simulated network, in the usual order of callbacks and in random ones.
import { testFlowControl } from "./_flow_control_suite.ts";
import { testServers } from "./_server_suite.ts";
import { testStreams } from "./_stream_suite.ts";
import { tls } from "./_tls.ts";
import { createSimulatedTcp } from "../simulation/_simulated_backends.ts";

for (const schedule of ["fifo", "random", "pct"] as const) {
  const simulated = createSimulatedTcp(schedule, schedule === "fifo" ? 0 : 0.3);
  const backend = { ...tls, ...simulated, name: `TLS over ${simulated.name}` };
  backend.serve = tls.serve;
  backend.connect = tls.connect;
  testStreams(backend);
  testFlowControl(backend);
  testServers(backend);
}
