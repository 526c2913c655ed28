import { testBroker } from "../executor/queue/_suite.ts";
import { NATS } from "./_nats_engine.ts";

testBroker(NATS);
