// TLS where Deno lacks what the shortcut to its engine uses: all data goes through Node's streams.
import { tlsShortcut } from "../../transports/tls/deno_tls_shortcut.ts";
import { testFlowControl } from "./_flow_control_suite.ts";
import { testServers } from "./_server_suite.ts";
import { testStreams } from "./_stream_suite.ts";
import { tls } from "./_tls.ts";

tlsShortcut.enabled = false;
const backend = { ...tls, name: "TLS over Node streams" };

testStreams(backend);
testFlowControl(backend);
testServers(backend);
