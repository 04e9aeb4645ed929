/** `fairlead-call` with servers that misbehave: nothing is done twice, nothing is lost, nothing hangs. */
// kernels: first, second
// packages: iproute2
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { callerProgram } from '../../src/cli/serve/caller/program.ts';
import { doItYourself, taken } from '../../src/cli/serve/message.ts';
import { decodeQuestion, ownIdentity, type Question, questionLength } from '../../src/cli/serve/question.ts';
import { limit, requireSandbox } from '../support/sandbox.ts';
import { socketPath } from './server.ts';

const directory = '/run/caller';

beforeEach(() => {
  requireSandbox();
  mkdirSync('/run/fairlead', { recursive: true });
  mkdirSync(directory);
  write('fairlead-call', callerProgram());
  symlinkSync('fairlead-call', `${directory}/bridge`);
  // In place of fairlead: says what it was given.
  write('fairlead', '#!/bin/sh\necho "itself, $CNI_COMMAND, $(wc -c) bytes"\n');
});

afterEach(() => {
  for (const path of [directory, '/run/fairlead']) rmSync(path, { recursive: true, force: true });
});

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(`${directory}/${name}`, content);
  chmodSync(`${directory}/${name}`, 0o755);
}

type Reaction = (socket: Bun.Socket<Uint8Array>, question: Question) => void;

/** A server that reacts as it likes to each whole question. */
function misbehave(react: Reaction) {
  const questions: Question[] = [];
  const server = Bun.listen<Uint8Array>({
    unix: socketPath,
    socket: {
      open(socket) {
        socket.data = new Uint8Array();
      },
      data(socket, bytes) {
        socket.data = new Uint8Array(Buffer.concat([socket.data, bytes]));
        if (socket.data.length < 24 || socket.data.length !== questionLength(socket.data)) return;
        const question = decodeQuestion(socket.data);
        questions.push(question);
        react(socket, question);
      },
    },
  });
  return { questions, [Symbol.dispose]: () => server.stop(true) };
}

async function call(command = 'ADD', stdin = '{}', stdout: 'pipe' | number = 'pipe') {
  const env = { CNI_COMMAND: command, OTHER: 'x=y' };
  const child = Bun.spawn([`${directory}/bridge`], {
    env,
    stdin: Buffer.from(stdin),
    stdout,
    stderr: 'pipe',
  });
  const output = stdout === 'pipe' ? new Response(child.stdout as ReadableStream).text() : '';
  return { exitCode: await child.exited, stdout: await output, stderr: await child.stderr.text() };
}

function answer(exitCode: number, stdout: string, stderr = ''): Uint8Array {
  const lengths = new Uint32Array([exitCode, stdout.length, stderr.length]);
  return new Uint8Array(Buffer.concat([new Uint8Array(lengths.buffer), Buffer.from(stdout + stderr)]));
}

const itself = (command: string, bytes = 2) => ({
  exitCode: 0,
  stdout: `itself, ${command}, ${bytes} bytes\n`,
  stderr: '',
});

test('the question is the whole call', async () => {
  using server = misbehave((socket) => {
    socket.write(new Uint8Array([taken.add]));
    socket.write(answer(3, 'result', 'remark'));
    socket.end();
  });
  expect(await call('ADD', 'größe')).toEqual({ exitCode: 3, stdout: 'result', stderr: 'remark' });
  const [question] = server.questions;
  expect(question).toMatchObject({ calledAs: `${directory}/bridge`, stdin: 'größe' });
  expect({ ...question?.env }).toEqual({ CNI_COMMAND: 'ADD', OTHER: 'x=y' });
  // All but the executable is this process's too.
  expect(question?.identity.split(' ').slice(1)).toEqual(ownIdentity().split(' ').slice(1));
});

test('a large answer in pieces', async () => {
  const stdout = 'x'.repeat(1_000_000);
  using _ = misbehave((socket) => {
    socket.write(new Uint8Array([taken.other]));
    const bytes = answer(0, stdout);
    void (async () => {
      for (let at = 0; at < bytes.length; ) {
        at += Math.max(0, socket.write(bytes.subarray(at, at + 50_000)));
        await Bun.sleep(1);
      }
      socket.end();
    })();
  });
  expect((await call()).stdout).toBe(stdout);
});

describe('the process does it itself, with all of standard input, where the server', () => {
  const nothing: Reaction = () => {};
  test.each<[string, Reaction]>([
    ['says nothing within its patience', nothing],
    ['ends the connection at once', (socket) => socket.end()],
    [
      'has taken it and says that it must',
      (socket) => {
        socket.write(new Uint8Array([taken.add]));
        socket.write(answer(doItYourself, ''));
        socket.end();
      },
    ],
  ])('%s', async (_, react) => {
    using _server = misbehave(react);
    expect(await call('ADD')).toEqual(itself('ADD'));
    expect(await call('DEL', 'x'.repeat(3_000_000))).toEqual(itself('DEL', 3_000_000));
    expect(await call('CHECK', '')).toEqual(itself('CHECK', 0));
  });

  test('does not listen any more', async () => {
    misbehave(nothing)[Symbol.dispose]();
    writeFileSync(socketPath, '');
    expect(await call('ADD')).toEqual(itself('ADD'));
  });

  test(
    'reads nothing, and more is to be sent than the socket takes',
    async () => {
      using server = Bun.listen({
        unix: socketPath,
        socket: { open: (socket) => socket.pause(), data() {} },
      });
      expect(await call('ADD', 'x'.repeat(4_000_000))).toEqual(itself('ADD', 4_000_000));
      expect(server).toBeDefined();
    },
    limit(10),
  );

  test('would have to get more than a plugin reads', async () => {
    using server = misbehave(nothing);
    const limitBytes = 4 * 1024 * 1024;
    expect(await call('ADD', 'x'.repeat(limitBytes + 1000))).toEqual(itself('ADD', limitBytes + 1));
    expect(server.questions).toEqual([]);
  });
});

describe('taken, and no whole answer', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a part of the header', answer(0, '').subarray(0, 7)],
    ['a part of the text', answer(0, 'result').subarray(0, 15)],
    ['more than was announced', new Uint8Array([...answer(0, 'result'), 0])],
  ])('%s: ADD says that it may be done in part, others are done once more', async (_, bytes) => {
    using _server = misbehave((socket, { env }) => {
      socket.write(new Uint8Array([env['CNI_COMMAND'] === 'ADD' ? taken.add : taken.other]));
      if (bytes.length > 0) socket.write(bytes);
      socket.end();
    });
    const { exitCode, stdout } = await call('ADD');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 11,
      msg: expect.stringContaining('ended during this ADD'),
    });
    expect(await call('DEL')).toEqual(itself('DEL'));
  });
});

test('a result that cannot be written is no success', async () => {
  using _ = misbehave((socket) => {
    socket.write(new Uint8Array([taken.add]));
    socket.write(answer(0, 'result'));
    socket.end();
  });
  expect((await call('ADD', '{}', openSync('/dev/full', 'w'))).exitCode).toBe(1);
});
