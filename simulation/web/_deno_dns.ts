import { isIP } from "node:net";
import type { Place } from "../_place.ts";
import type { World } from "../_world.ts";
import { errorNumber, type HandleRequest } from "./_deno_node.ts";

/** A question about a name. */
interface NameRequest extends HandleRequest {
  /** Whether the answer has a time to live. */
  readonly ttl?: boolean;
}

/** How long an answer of the simulated network may be kept, in seconds. */
const TTL = 60;

/** Returns what stands for the function called `key` that names are looked up by. */
export function serveDns(key: string, world: World): unknown {
  switch (key) {
    case "getaddrinfo":
      return (request: NameRequest, hostname: string, family: number): number => {
        const addresses = resolve(world.place, hostname, family);
        const status = addresses.length === 0 ? errorNumber("EAI_NONAME") : 0;
        world.place.later(0, () => request.oncomplete(status, addresses, undefined));
        return 0;
      };
    case "getnameinfo":
      return (request: NameRequest, address: string, port: number): number => {
        const name = reverse(world.place, address);
        world.place.later(0, () => {
          if (name === null) request.oncomplete(errorNumber("EAI_NONAME"));
          else request.oncomplete(null, name, String(port));
        });
        return 0;
      };
    case "queryA":
      return (request: NameRequest, name: string) => answer(world.place, request, name, 4);
    case "queryAaaa":
      return (request: NameRequest, name: string) => answer(world.place, request, name, 6);
    case "getHostByAddr":
    case "queryPtr":
      return (request: NameRequest, address: string): number => {
        const name = isIP(address) === 0 ? null : reverse(world.place, address);
        world.place.later(0, () => {
          if (name === null) request.oncomplete("ENOTFOUND", []);
          else request.oncomplete(null, [name]);
        });
        return 0;
      };
    default:
      return undefined;
  }
}

function answer(place: Place, request: NameRequest, name: string, family: 4 | 6): number {
  const addresses = resolve(place, name, family);
  const records = request.ttl ? addresses.map((address) => ({ address, ttl: TTL })) : addresses;
  place.later(0, () => request.oncomplete(records.length === 0 ? "ENOTFOUND" : null, records));
  return 0;
}

/** Returns the addresses of `hostname`; none if there is no such host. */
export function resolve({ loop, platform }: Place, hostname: string, family: number): string[] {
  const wanted = family === 4 ? "ipv4" : family === 6 ? "ipv6" : undefined;
  // Simulated names are looked up at once.
  const found = platform.network.lookup(loop, hostname, wanted);
  if (found.exception() !== null) return [];
  return found.result().map((address) => address.hostname);
}

function reverse({ loop, platform }: Place, address: string): string | null {
  return platform.network.reverseLookup(loop, address).result();
}
