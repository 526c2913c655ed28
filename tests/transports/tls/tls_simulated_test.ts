// TLS over the links of a simulated network, in the usual order of callbacks and in random ones.
import { assertEquals } from "@std/assert";
import { openConnection, sleep, startServer } from "../../../mod.ts";
import { diffTraces, type Schedule, simulate, Trace } from "../../../simulation/mod.ts";
import { utf8 } from "../_backend.ts";
import { testFlowControl } from "../_flow_control_suite.ts";
import { testServers } from "../_server_suite.ts";
import { testStartTls } from "../_start_tls_suite.ts";
import { testStreams } from "../_stream_suite.ts";
import { certificate, tls, trusting } from "../_tls.ts";
import { createSimulatedTcp } from "../../simulation/_simulated_backends.ts";

for (const schedule of ["fifo", "random", "pct"] as const) {
  const simulated = createSimulatedTcp(schedule, schedule === "fifo" ? 0 : 0.3);
  const backend = { ...tls, ...simulated, name: `TLS over ${simulated.name}` };
  backend.serve = tls.serve;
  backend.connect = tls.connect;
  testStartTls(simulated);
  testStreams(backend);
  testFlowControl(backend);
  testServers(backend);
}

/** Three clients talk to a server; gives what the simulation has done. */
async function record(seed: number, schedule: Schedule): Promise<Trace> {
  const trace = new Trace();
  const identity = certificate("steady");
  await simulate(async () => {
    await using server = await startServer(async (reader, writer) => {
      await using output = writer;
      for await (const line of reader) output.write(line);
    }, { hostname: "127.0.0.1", tls: identity });
    const { port } = server.address;
    await Promise.all([1, 2, 3].map(async (count) => {
      const [reader, writer] = await openConnection({ port, tls: trusting });
      await using output = writer;
      for (let left = count; left > 0; left -= 1) {
        output.write(utf8("hello\n"));
        await reader.readLine();
        await sleep(0.1);
      }
    }));
  }, { seed, schedule, trace });
  return trace;
}

Deno.test("a simulation with TLS repeats itself, where all signatures have one size", async () => {
  for (const schedule of ["fifo", "random", "pct"] as const) {
    for (let seed = 0; seed < 5; seed += 1) {
      const trace = await record(seed, schedule);
      assertEquals(diffTraces(trace, await record(seed, schedule)), null);
    }
  }
});
