/**
 * The options of a {@linkcode BullmqBroker}; apart, so that who imports others does not read its types.
 *
 * @module
 */
import { type OptionTable, SECONDS, TEXT } from "../../loop/values/check_options.ts";
import type { BullmqBrokerOptions } from "./bullmq.ts";

export const BULLMQ_BROKER: OptionTable<BullmqBrokerOptions> = {
  url: TEXT,
  queue: TEXT,
  lease: SECONDS,
};
