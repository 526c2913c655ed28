import { testContexts } from "./_context_suite.ts";
import { testFlowControl } from "./_flow_control_suite.ts";
import { nodeTcp } from "./_node_tcp.ts";
import { testOddProtocols } from "./_odd_protocol_suite.ts";
import { testSendfile } from "./_sendfile_suite.ts";
import { testServers } from "./_server_suite.ts";
import { testStartTls } from "./_start_tls_suite.ts";
import { testStreams } from "./_stream_suite.ts";
import { testSnapshots } from "./_snapshot_suite.ts";

testStartTls(nodeTcp);
testStreams(nodeTcp);
testContexts(nodeTcp);
testOddProtocols(nodeTcp);
testFlowControl(nodeTcp);
testServers(nodeTcp);
testSendfile(nodeTcp);
testSnapshots(nodeTcp, "tcp");
