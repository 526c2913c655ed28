import { isOutOfDescriptors, tooManyOpenFiles } from "../../loop/errors/deno_too_many_files.ts";
import { AF_INET, AF_INET6, SOCK_STREAM } from "./native_layouts.ts";
import { libc } from "./native_libc.ts";
import { NativeMemory, takeAddressList } from "./native_memory.ts";
import { type RawAddress, setPort } from "./native_raw_address.ts";

/** Where the memory of a look-up has the result, what is wanted, and the name. */
const RESULT = 0;
const HINTS = 16;
const NAME = 64;
const SIZE = 512;

/**
 * Returns the addresses of `hostname`, at least one, with `port`, in the order of the system.
 *
 * @throws An error with the code `ENOTFOUND`.
 */
export async function lookUp(hostname: string, port: number): Promise<RawAddress[]> {
  const memory = NativeMemory.take(SIZE);
  const { written, read } = new TextEncoder().encodeInto(
    hostname,
    memory.bytes.subarray(NAME, SIZE - 1),
  );
  memory.bytes[NAME + written] = 0;
  memory.view.setInt32(HINTS + 8, SOCK_STREAM, true);
  const isWhole = read === hostname.length && !hostname.includes("\0");
  const status = isWhole
    ? await libc.getaddrinfo(
      memory.pointer(NAME),
      null,
      memory.pointer(HINTS),
      memory.pointer(RESULT),
    )
    : 1;
  const found = status === 0 ? takeAddressList(memory, RESULT) : [];
  memory.giveBack();
  const addresses = found
    .map((bytes): RawAddress => ({ bytes, family: bytes[0] as number }))
    .filter(({ family }) => family === AF_INET || family === AF_INET6);
  if (addresses.length === 0) throw notFound(hostname);
  for (const { bytes } of addresses) setPort(bytes, port);
  return addresses;
}

function notFound(hostname: string): Error {
  if (isOutOfDescriptors()) return tooManyOpenFiles(`resolve "${hostname}"`);
  const error = new Error(`Cannot resolve "${hostname}": the name does not resolve`);
  return Object.assign(error, { code: "ENOTFOUND" });
}
