import type { Backend } from "../transports/_backend.ts";
import { testContexts } from "../transports/_context_suite.ts";
import { testFlowControl } from "../transports/_flow_control_suite.ts";
import { testOddProtocols } from "../transports/_odd_protocol_suite.ts";
import { testServers } from "../transports/_server_suite.ts";
import { testStreams } from "../transports/_stream_suite.ts";
import { createSimulatedTcp, createSimulatedUnix } from "./_simulated_backends.ts";
import { testSnapshots } from "../transports/_snapshot_suite.ts";

function testAll(backend: Backend): void {
  testStreams(backend);
  testFlowControl(backend);
  testServers(backend);
  testContexts(backend);
  testOddProtocols(backend);
  testSnapshots(backend, backend.name.includes("Unix") ? "unix" : "tcp");
}

for (const schedule of ["fifo", "random", "pct"] as const) {
  testAll(createSimulatedTcp(schedule, schedule === "fifo" ? 0 : 0.3));
  testAll(createSimulatedUnix(schedule));
}
