// The engine against OpenSSL itself, in memory: what peers rarely ask for.
import { assert, assertEquals } from "@std/assert";
import "../../transports/native/mod.ts";
import type { TlsEngine, TlsOptions } from "../../loop/platform/platform.ts";
import {
  allocated,
  openssl,
  type Pointer,
  SSL_CTRL_SET_TLSEXT_HOSTNAME,
} from "../../transports/native/native_openssl.ts";
import { nativeTls, NativeTlsContext } from "../../transports/native/native_tls_context.ts";
import { takeReason } from "../../transports/native/native_tls_error.ts";
import { pattern, sameBytes, utf8 } from "../transports/_backend.ts";
import { certificate, trusting } from "../transports/_tls.ts";

const { symbols: more } = Deno.dlopen("libssl.so.3", {
  SSL_key_update: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_renegotiate: { parameters: ["pointer"], result: "i32" },
});

/** What is asked of the peer by a change of keys. */
const KEY_UPDATES = { "only its own": 0, "both": 1 } as const;

/** A peer that is OpenSSL alone, with wires of its own. */
class Peer {
  readonly ssl: Pointer;
  readonly input = allocated(openssl.BIO_new(openssl.BIO_s_mem()));
  readonly output = allocated(openssl.BIO_new(openssl.BIO_s_mem()));

  constructor(side: "client" | "server", options: TlsOptions) {
    this.ssl = allocated(openssl.SSL_new(new NativeTlsContext(side, options, "localhost").pointer));
    openssl.SSL_ctrl(this.ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0n, utf8("localhost\0"));
    openssl.SSL_set_bio(this.ssl, this.input, this.output);
    if (side === "client") openssl.SSL_set_connect_state(this.ssl);
    else openssl.SSL_set_accept_state(this.ssl);
  }

  handshake(): void {
    openssl.SSL_do_handshake(this.ssl);
  }

  take(records: Uint8Array): void {
    openssl.BIO_write(this.input, records, records.length);
  }

  /** What it has to send. */
  records(): Uint8Array {
    const records = new Uint8Array(openssl.BIO_ctrl_pending(this.output));
    if (records.length > 0) openssl.BIO_read(this.output, records, records.length);
    return records;
  }

  write(bytes: Uint8Array): number {
    return openssl.SSL_write(this.ssl, bytes, bytes.length);
  }

  read(): Uint8Array {
    const memory = new Uint8Array(100_000);
    let size = 0;
    for (;;) {
      const count = openssl.SSL_read(this.ssl, memory.subarray(size), memory.length - size);
      if (count <= 0) break;
      size += count;
    }
    openssl.ERR_clear_error();
    return memory.slice(0, size);
  }

  free(): void {
    openssl.SSL_free(this.ssl);
  }
}

/** An engine and a peer that have shaken hands. */
class Connection {
  readonly peer: Peer;
  readonly engine: TlsEngine;
  readonly log: string[] = [];
  received: Uint8Array[] = [];
  payload = 0;

  constructor(side: "client" | "server", options: TlsOptions = {}) {
    const server = { ...certificate("server"), ...options };
    const client = { ...trusting, ...options };
    const isClient = side === "client";
    this.peer = new Peer(isClient ? "server" : "client", isClient ? server : client);
    const context = isClient
      ? nativeTls.clientContext(client, "localhost")
      : nativeTls.serverContext(server);
    this.engine = context.start({
      secured: () => void this.log.push("secured"),
      encrypted: (records, payload) => {
        this.peer.take(records);
        this.payload += payload;
        return true;
      },
      decrypted: (buffer, count) => void this.received.push(buffer.slice(0, count)),
      ended: () => void this.log.push("ended"),
      failed: (error) => void this.log.push(`failed: ${error.message}`),
    });
    for (let turn = 0; turn < 3; turn += 1) {
      this.peer.handshake();
      this.deliver();
    }
  }

  /** Has the engine get what the peer has sent. */
  deliver(): void {
    const records = this.peer.records();
    this.engine.feed(records, records.length);
  }

  /** What the engine was told, as one. */
  text(): string {
    const text = this.received.map((bytes) => new TextDecoder().decode(bytes)).join("");
    this.received = [];
    return text;
  }

  end(): void {
    this.engine.destroy();
    this.peer.free();
  }
}

for (const side of ["client", "server"] as const) {
  Deno.test(`the engine of a ${side} follows its peer to new keys, however often`, () => {
    const connection = new Connection(side);
    const { peer, engine } = connection;
    for (const update of [...Object.values(KEY_UPDATES), ...Object.values(KEY_UPDATES)]) {
      assertEquals(more.SSL_key_update(peer.ssl, update), 1);
      peer.write(utf8("by new keys"));
      connection.deliver();
      assertEquals(connection.text(), "by new keys");
      engine.encrypt(utf8("answer"));
      assertEquals(new TextDecoder().decode(peer.read()), "answer");
    }
    assertEquals(connection.log, ["secured"]);
    connection.end();
  });

  Deno.test(`the engine of a ${side} says once that its peer has ended, and sends on until then`, () => {
    const connection = new Connection(side);
    const { peer, engine } = connection;
    peer.write(utf8("last words"));
    openssl.SSL_shutdown(peer.ssl);
    connection.deliver();
    assertEquals(connection.text(), "last words");
    engine.encrypt(utf8("half closed"));
    assertEquals(new TextDecoder().decode(peer.read()), "half closed");
    let told = 0;
    engine.end(() => told += 1);
    engine.end(() => told += 1);
    // What is written behind the end goes nowhere.
    engine.encrypt(utf8("lost"));
    peer.read();
    assertEquals(openssl.SSL_shutdown(peer.ssl), 1);
    // Nor does what comes behind it.
    engine.feed(utf8("garbage"), 7);
    assertEquals([connection.log, told], [["secured", "ended"], 2]);
    connection.end();
  });

  Deno.test(`the engine of a ${side} takes records cut at every byte, and many at once`, () => {
    const connection = new Connection(side);
    const { peer, engine } = connection;
    peer.write(utf8("cut"));
    for (const byte of peer.records()) engine.feed(Uint8Array.of(byte), 1);
    assertEquals(connection.text(), "cut");
    const bytes = pattern(600_000);
    for (let start = 0; start < bytes.length; start += 60_000) {
      peer.write(bytes.slice(start, start + 60_000));
    }
    connection.deliver();
    const received = new Uint8Array(bytes.length);
    let size = 0;
    for (const part of connection.received) {
      received.set(part, size);
      size += part.length;
    }
    assert(size === bytes.length && sameBytes(received, bytes));
    connection.end();
  });

  Deno.test(`the engine of a ${side} that has failed does nothing more`, () => {
    const connection = new Connection(side);
    const { engine, peer } = connection;
    peer.write(utf8("forged"));
    const records = peer.records();
    records[records.length - 1] = (records.at(-1) as number) ^ 1;
    engine.feed(records, records.length);
    assertEquals(connection.log, ["secured", "failed: decryption failed or bad record mac"]);
    engine.encrypt(utf8("x"));
    engine.feed(records, records.length);
    let told = false;
    engine.end(() => told = true);
    assertEquals([connection.log.length, told, connection.payload], [2, true, 0]);
    connection.end();
    engine.destroy();
    engine.encrypt(utf8("x"));
    engine.feed(records, records.length);
  });
}

Deno.test("the engine of a client renegotiates under TLS 1.2, and sends what was written meanwhile", () => {
  const connection = new Connection("client", { maxVersion: "TLSv1.2" });
  const { peer, engine } = connection;
  assertEquals(more.SSL_renegotiate(peer.ssl), 1);
  peer.handshake();
  connection.deliver();
  engine.encrypt(utf8("meanwhile "));
  engine.encrypt(utf8("in order"));
  assertEquals(connection.payload, 0);
  let text = "";
  for (let turn = 0; turn < 4; turn += 1) {
    text += new TextDecoder().decode(peer.read());
    connection.deliver();
  }
  text += new TextDecoder().decode(peer.read());
  assertEquals([text, connection.payload], ["meanwhile in order", 18]);
  peer.write(utf8("and back"));
  connection.deliver();
  assertEquals([connection.text(), connection.log], ["and back", ["secured"]]);
  connection.end();
});

Deno.test("the engine of a server lets no client renegotiate", () => {
  const connection = new Connection("server", { maxVersion: "TLSv1.2" });
  const { peer } = connection;
  assertEquals(more.SSL_renegotiate(peer.ssl), 1);
  peer.handshake();
  connection.deliver();
  assertEquals(openssl.SSL_read(peer.ssl, new Uint8Array(10), 10), -1);
  assertEquals(takeReason()?.code, "ERR_SSL_NO_RENEGOTIATION");
  assertEquals(connection.log, ["secured"]);
  connection.end();
});

Deno.test("an engine that sni lets go of ends when OpenSSL has done with it", () => {
  const told: string[] = [];
  const context = nativeTls.serverContext({
    ...certificate("server"),
    sni: (name) => {
      told.push(`asked for ${name}`);
      engine.destroy();
      engine.encrypt(utf8("x"));
      return null;
    },
  });
  const engine = context.start({
    secured: () => void told.push("secured"),
    encrypted: () => told.push("encrypted") > 0,
    decrypted: () => void told.push("decrypted"),
    ended: () => void told.push("ended"),
    failed: () => void told.push("failed"),
  });
  const peer = new Peer("client", trusting);
  peer.handshake();
  const hello = peer.records();
  for (let turn = 0; turn < 2; turn += 1) engine.feed(hello, hello.length);
  engine.destroy();
  assertEquals(told, ["asked for localhost"]);
  peer.free();
});
