/**
 * The options of a {@linkcode NatsBroker}; apart, so that who imports others does not read its types.
 *
 * @module
 */
import { type OptionTable, SECONDS, TEXT } from "../../loop/values/check_options.ts";
import type { NatsBrokerOptions } from "./nats.ts";

export const NATS_BROKER: OptionTable<NatsBrokerOptions> = {
  url: TEXT,
  queue: TEXT,
  lease: SECONDS,
};
