import { assertEquals, assertStringIncludes } from "@std/assert";

const NET = "--allow-net=127.0.0.1,localhost";
const CERTIFICATES = "--allow-read=tests/transports/certificates";

/** Runs a program of programs/; gives what it has printed. */
async function runProgram(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ success: boolean; output: string; errors: string }> {
  const command = new Deno.Command("deno", {
    args: ["run", "--no-check", "--no-prompt", ...args],
    env,
  });
  return read(await command.output());
}

function read({ success, stdout, stderr }: Deno.CommandOutput) {
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

function program(name: string): string {
  return `tests/native/programs/${name}.ts`;
}

/** Ways to run all that the backend has, and what is printed. */
const WAYS:
  readonly (readonly [name: string, flags: readonly string[], modes: readonly string[]])[] = [
    ["while memory is collected between the steps", ["--v8-flags=--expose-gc"], ["gc"]],
    ["with guards around every buffer that libc is handed", [], ["canaries"]],
    ["with a thread that waits in place of the kernel, guarded", [], ["poll", "canaries"]],
    ["with that thread, while memory is collected", ["--v8-flags=--expose-gc"], ["poll", "gc"]],
  ];

for (const [name, flags, modes] of WAYS) {
  Deno.test(`the native backend passes every byte ${name}`, async () => {
    const args = [...flags, "--allow-ffi", NET, program("exercise"), ...modes];
    const { output, errors } = await runProgram(args);
    assertEquals([output, errors], ["many steps\n", ""]);
  });
}

Deno.test("the guards around buffers find a call that writes past one", async () => {
  const args = ["--allow-ffi", NET, program("exercise"), "canaries", "overrun"];
  const { success, errors } = await runProgram(args);
  assertEquals(success, false);
  assertStringIncludes(errors, "recv() has written outside of its buffer");
});

for (
  const [name, flags, modes] of [
    ["while memory is collected, in handshakes too", ["--v8-flags=--expose-gc"], ["gc"]],
    ["with guards around every buffer", [], ["canaries"]],
  ] as const
) {
  Deno.test(`TLS by OpenSSL passes every byte and leaves nothing behind, ${name}`, async () => {
    const args = [...flags, "--allow-ffi", NET, CERTIFICATES, program("exercise_tls"), ...modes];
    const { output, errors } = await runProgram(args);
    // What all connections share, and the contexts that are kept.
    const left = { BIO: 2, EVP_PKEY: 0, SSL_CTX: 64, SSL: 0, X509: 0 };
    assertEquals([output, errors], [`many steps; left: ${JSON.stringify(left)}\n`, ""]);
  });
}

Deno.test("without OpenSSL the native backend has Deno's own TLS, and says what that lacks", async () => {
  const { output, errors } = await runProgram([
    "--allow-ffi",
    NET,
    CERTIFICATES,
    program("without_openssl"),
  ]);
  assertEquals(
    output,
    "TLSv1.3 to localhost\nTypeError Cannot use ciphers in TLS options\n",
    errors,
  );
});

Deno.test("a client without caCerts trusts whom OpenSSL trusts", async () => {
  const args = ["--allow-ffi", NET, CERTIFICATES, program("default_authorities")];
  const env = { SSL_CERT_FILE: "tests/transports/certificates/authority.pem" };
  const { output, errors } = await runProgram(args, env);
  assertEquals(output, "Test authority\n", errors);
});

Deno.test("thousands of messages on connections that close at random leave no descriptor behind", async () => {
  const args = ["--allow-ffi", NET, program("soak"), "20000", "400"];
  const { output, errors, success } = await runProgram(args);
  assertEquals([success, output], [true, "0 descriptors more\n"], errors);
});

Deno.test("TLS connections that close at random leave no descriptor behind", async () => {
  const args = ["--allow-ffi", NET, CERTIFICATES, program("soak"), "2000", "150", "tls"];
  const { output, errors, success } = await runProgram(args);
  assertEquals([success, output], [true, "0 descriptors more\n"], errors);
});

/** Runs a program that may have 64 descriptors. */
async function runAtTheLimit(name: string): Promise<ReturnType<typeof read>> {
  const run = `ulimit -n 64; exec deno run --no-check --no-prompt --allow-ffi ${NET}`;
  const command = new Deno.Command("sh", {
    args: ["-c", `${run} ${program(name)}`],
    env: { DENO_NO_UPDATE_CHECK: "1" }, // which opens and closes what it likes
  });
  return read(await command.output());
}

Deno.test("running out of descriptors ends neither a server nor a loop", async () => {
  const { output, errors } = await runAtTheLimit("at_the_limit");
  const expected =
    "socket() EMFILE\nconnect EMFILE\naccept EMFILE\nthen accepted, after 1 report\n";
  assertEquals(output, expected, errors);
});

Deno.test("the first use of a loop fails when it could not wait, and leaves nothing open", async () => {
  const { output, errors } = await runAtTheLimit("first_use_at_the_limit");
  assertEquals(output, "EMFILE, then 1 byte\nleaked false\n", errors);
});

Deno.test("a child process inherits nothing of the native backend's", async () => {
  const args = ["--allow-ffi", NET, "--allow-run=/bin/sh", program("descriptors_of_child")];
  const { output, errors } = await runProgram(args);
  assertEquals(output, "true []\n", errors);
});

Deno.test("the native backend can be imported without a permission, and says what it lacks when it is used", async () => {
  const source = `
    const { newNativeEventLoop, socket } = await import("./transports/native/mod.ts");
    const { setEventLoopPolicy, newEventLoop } = await import("./mod.ts");
    setEventLoopPolicy("native");
    for (const use of [newNativeEventLoop, newEventLoop, socket]) {
      try {
        use();
      } catch (error) {
        console.log(error.name, error.message);
      }
    }`;
  const path = await Deno.makeTempFile({ dir: "/tmp", suffix: ".ts" });
  const here = `file://${Deno.cwd()}/`;
  await Deno.writeTextFile(path, source.replaceAll("./", here));
  try {
    for (const flag of [[], ["--allow-ffi=libc.so.6"]]) {
      const { output } = await runProgram([...flag, "--config", "deno.json", path]);
      const line =
        "NotCapable Cannot use the native backend, which opens libraries by name: it requires --allow-ffi\n";
      assertEquals(output, line.repeat(3));
    }
  } finally {
    await Deno.remove(path);
  }
});

for (
  const [os, arch, says] of [
    ["darwin", "aarch64", "it needs Linux, this is darwin"],
    ["linux", "riscv64", "it does not know the processor riscv64"],
  ]
) {
  Deno.test(`the native backend refuses ${os} on ${arch}`, async () => {
    const path = await Deno.makeTempFile({ dir: "/tmp", suffix: ".ts" });
    await Deno.writeTextFile(
      path,
      `Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "${os}", arch: "${arch}" } });
      const { socket } = await import("file://${Deno.cwd()}/transports/native/mod.ts");
      try { socket(); } catch (error) { console.log(error.name, error.message); }`,
    );
    try {
      const { output } = await runProgram(["--allow-ffi", "--config", "deno.json", path]);
      assertEquals(output, `NotSupported Cannot use the native backend: ${says}\n`);
    } finally {
      await Deno.remove(path);
    }
  });
}
