import { testFlowControl } from "../transports/_flow_control_suite.ts";
import { testSendfile } from "../transports/_sendfile_suite.ts";
import { testServers } from "../transports/_server_suite.ts";
import { testStreams } from "../transports/_stream_suite.ts";
import { pipePair } from "./_pipe_pair.ts";

testStreams(pipePair);
testFlowControl(pipePair);
testServers(pipePair);
testSendfile(pipePair);
