import { placeInWords } from "../../loop/values/in_words.ts";
import type { ExtraInfoSource } from "../transport.ts";

/** The address of one end of `transport` in words; `null` where it has none. */
export function addressOf(
  transport: ExtraInfoSource,
  end: "peername" | "sockname",
): string | null {
  const address = transport.getExtraInfo(end);
  // The client's end of a Unix socket has no name.
  return address === undefined ? null : placeInWords(address) || null;
}

/** Where the peer of `transport` is, as the subject of a wait; the transport where it is nowhere. */
export function peerOf(transport: object): object {
  return (transport as Partial<ExtraInfoSource>).getExtraInfo?.("peername") ?? transport;
}

/** What `transport`, which is no datagram endpoint, runs over. */
export function kindOfTransport(transport: ExtraInfoSource): "tcp" | "tls" | "unix" | "pipe" {
  if (transport.getExtraInfo("tls") !== undefined) return "tls";
  const address = transport.getExtraInfo("peername") ?? transport.getExtraInfo("sockname");
  if (address === undefined) return "pipe";
  return "path" in address ? "unix" : "tcp";
}
