import { testContexts } from "../transports/_context_suite.ts";
import { testFlowControl } from "../transports/_flow_control_suite.ts";
import { testOddProtocols } from "../transports/_odd_protocol_suite.ts";
import { testSendfile } from "../transports/_sendfile_suite.ts";
import { testServers } from "../transports/_server_suite.ts";
import { testStreams } from "../transports/_stream_suite.ts";
import { unix } from "./_unix.ts";
import { testSnapshots } from "../transports/_snapshot_suite.ts";

testStreams(unix);
testContexts(unix);
testOddProtocols(unix);
testFlowControl(unix);
testServers(unix);
testSendfile(unix);
testSnapshots(unix, "unix");
