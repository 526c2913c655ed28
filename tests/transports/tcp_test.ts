import { testContexts } from "./_context_suite.ts";
import { testFlowControl } from "./_flow_control_suite.ts";
import { testOddProtocols } from "./_odd_protocol_suite.ts";
import { testSendfile } from "./_sendfile_suite.ts";
import { testServers } from "./_server_suite.ts";
import { testStreams } from "./_stream_suite.ts";
import { tcp } from "./_tcp.ts";
import { testSnapshots } from "./_snapshot_suite.ts";

testStreams(tcp);
testContexts(tcp);
testOddProtocols(tcp);
testFlowControl(tcp);
testServers(tcp);
testSendfile(tcp);
testSnapshots(tcp, "tcp");
