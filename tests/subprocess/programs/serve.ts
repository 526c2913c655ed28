// Serves an app by workers, and says where: serve.ts <app> <options as JSON>.
import { serveWorkers } from "../../../mod.ts";

const [app = "", options = "{}"] = Deno.args;
await serveWorkers(new URL(app, import.meta.url), {
  hostname: "127.0.0.1",
  onServing: ({ port }) => console.log(String(port)),
  ...JSON.parse(options),
});
