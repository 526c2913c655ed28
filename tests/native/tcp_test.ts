import { testStreams } from "../transports/_stream_suite.ts";
import { tcp } from "../transports/_tcp.ts";
import { onNative } from "./_native.ts";

testStreams(onNative(tcp));
