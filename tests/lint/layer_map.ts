/** A folder of the package; each imports only from those below it. */
export type Layer = "loop" | "transports" | "subprocess" | "executor" | "simulation";

/** What each layer may import besides itself. */
export const LAYERS: Readonly<Record<Layer, readonly Layer[]>> = {
  loop: [],
  transports: ["loop"],
  subprocess: ["loop", "transports"],
  executor: ["loop"],
  simulation: ["loop", "transports", "subprocess", "executor"],
};

/** Where the repository is, with a slash at its end. */
const ROOT = new URL("../../", import.meta.url);

/** Gives the path of a linted file from the root of the repository: `loop/tasks/future.ts`. */
export function repositoryPath(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  const root = decodeURI(ROOT.pathname).replace(/^\/(?=[A-Za-z]:)/, "");
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Gives the layer that a path from the root of the repository is in, if any. */
export function layerOf(path: string): Layer | undefined {
  const [folder, ...rest] = path.split("/");
  return rest.length > 0 && isLayer(folder) ? folder : undefined;
}

function isLayer(name: string | undefined): name is Layer {
  return name !== undefined && Object.hasOwn(LAYERS, name);
}
