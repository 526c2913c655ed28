import { type Coroutine, StreamReader } from "../../mod.ts";
import type { TestLoop } from "../loop/mod.ts";

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a reader has been fed. */
export interface Fed {
  data?: string;
  eof?: boolean;
  limit?: number;
  error?: Error;
}

/** Returns a reader of `loop` that was fed. */
export function feed(loop: TestLoop, { data = "", eof = false, limit, error }: Fed): StreamReader {
  const reader = new StreamReader({ loop, limit });
  reader.feedData(utf8(data));
  if (eof) reader.feedEof();
  if (error !== undefined) reader.setException(error);
  return reader;
}

/** Takes what is left in `reader`, which has not ended. */
export function* takeRest(reader: StreamReader): Coroutine<string> {
  reader.feedEof();
  return text(yield* reader.read());
}
