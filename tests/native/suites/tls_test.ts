import { testFlowControl } from "../../transports/_flow_control_suite.ts";
import { testOddProtocols } from "../../transports/_odd_protocol_suite.ts";
import { testSendfile } from "../../transports/_sendfile_suite.ts";
import { testServers } from "../../transports/_server_suite.ts";
import { testStreams } from "../../transports/_stream_suite.ts";
import { tls } from "../../transports/_tls.ts";
import { onNative } from "../_native.ts";

const backend = onNative(tls);
testStreams(backend);
testOddProtocols(backend);
testFlowControl(backend);
testServers(backend);
testSendfile(backend);
