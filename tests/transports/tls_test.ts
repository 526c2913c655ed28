import { testContexts } from "./_context_suite.ts";
import { testFlowControl } from "./_flow_control_suite.ts";
import { testOddProtocols } from "./_odd_protocol_suite.ts";
import { testSendfile } from "./_sendfile_suite.ts";
import { testServers } from "./_server_suite.ts";
import { testStreams } from "./_stream_suite.ts";
import { tls } from "./_tls.ts";
import { testSnapshots } from "./_snapshot_suite.ts";

testStreams(tls);
testContexts(tls);
testOddProtocols(tls);
testFlowControl(tls);
testServers(tls);
testSendfile(tls);
testSnapshots(tls, "tls");
