import { testFlowControl } from "../transports/_flow_control_suite.ts";
import { testServers } from "../transports/_server_suite.ts";
import { testStreams } from "../transports/_stream_suite.ts";
import { createSimulatedTcp } from "./_simulated_tcp.ts";

for (const schedule of ["fifo", "random", "pct"] as const) {
  const backend = createSimulatedTcp(schedule, schedule === "fifo" ? 0 : 0.3);
  testStreams(backend);
  testFlowControl(backend);
  testServers(backend);
}
