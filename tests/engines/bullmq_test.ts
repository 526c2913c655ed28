import { REDIS } from "./_redis_engine.ts";
import { testBroker } from "../executor/queue/_suite.ts";

testBroker(REDIS);
