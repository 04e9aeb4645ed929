/**
 * `fairlead-call`: the program that a plugin's name leads to where `fairlead serve` does the calls. It hands its call
 * over and prints the answer; wherever that is not possible it executes `fairlead`, which is beside it, and which
 * then finds everything as if it had been executed at once. Nothing of it needs a runtime, and so it has none: it is over
 * before one would have started (docs/decisions/0019).
 *
 * In words: find the `fairlead` beside; where there are arguments or no CNI_COMMAND, or nobody listens, execute it. Look
 * which files things are, read standard input, ask. Not taken within two seconds: no further, execute it. Taken: wait
 * for the answer and print it. Whoever took it and ended without an answer may have done a part of ADD: an error says so.
 */
import { CniError, encodeError } from '../../../cni/error.ts';
import { stdinLimit } from '../../../cni/host.ts';
import { currentVersion } from '../../../cni/version.ts';
import { bytesFromText } from '../../../lib/bytes.ts';
import {
  answerHeaderSize,
  begin,
  doItYourself,
  identityFiles,
  questionLayout,
  serveSocket,
  statxSize,
  taken,
} from '../message.ts';
import { executableOf, memoryAddress } from './elf.ts';
import {
  AF_UNIX,
  AT_FDCWD,
  EAGAIN,
  kernel,
  MFD_CLOEXEC,
  MSG_NOSIGNAL,
  POLLIN,
  POLLOUT,
  repeatInterrupted,
  SHUT_RD,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  STATX_INO,
} from './system-calls.ts';
import {
  absolute,
  add,
  at,
  back,
  call,
  compare,
  compareMemory,
  copy,
  data,
  type Item,
  increase,
  jump,
  label,
  load,
  load8,
  load32,
  type Register,
  set,
  store,
  subtract,
} from './x86-64.ts';

/**
 * A server that takes no call in this time is stuck or stopped; in milliseconds. It takes one as soon as it has done its part of
 * another, so that this is far more than it needs.
 */
const patience = 2000;
/** Of the path of the executable; PATH_MAX. */
const pathLimit = 4096;
const answerLimit = 16 * 1024 * 1024;
/** One more than what a plugin reads: `fairlead` then finds it too much as well. */
const stdinRoom = stdinLimit + 1;

/** Where things are in memory. */
const memory = layOut({
  path: pathLimit + 16,
  question: questionLayout.strings,
  message: 56,
  vectors: 48,
  poll: 8,
  taken: 8,
  answer: answerLimit,
  stdin: stdinRoom,
});

function layOut<T extends string>(sizes: Record<T, number>): Record<T | 'end', number> {
  let next = memoryAddress;
  const places: Record<string, number> = {};
  for (const [name, size] of Object.entries<number>(sizes)) {
    places[name] = next;
    next += (size + 15) & ~15;
  }
  return { ...places, end: next } as Record<T | 'end', number>;
}

const texts = {
  self: path('/proc/self/exe'),
  net: path(identityFiles[1]),
  mnt: path(identityFiles[2]),
  root: path(identityFiles[3]),
  name: path('stdin'),
  address: new Uint8Array([AF_UNIX, 0, ...path(serveSocket)]),
  // struct timeval.
  patience: new Uint8Array(new BigUint64Array([BigInt(patience / 1000), 0n]).buffer),
  lostText: answerOf(
    new CniError(
      'tryAgainLater',
      'the process of `fairlead serve` ended during this ADD',
      'DEL removes what it had done',
    ),
  ),
  aloneText: answerOf(
    new CniError(
      'ioFailure',
      'cannot execute the file `fairlead`, which belongs beside `fairlead-call`',
      '`fairlead install --served` puts both into a directory; and /proc must be mounted',
    ),
  ),
};

function path(text: string): Uint8Array {
  return bytesFromText(`${text}\0`);
}

function answerOf(error: CniError): Uint8Array {
  return bytesFromText(`${JSON.stringify(encodeError(error, currentVersion))}\n`);
}

function number(text: string): bigint {
  return new DataView(bytesFromText(text).buffer).getBigUint64(0, true);
}

/** rbx: the stack as it was at the start (argc, argv, 0, environment, 0). */
function findExecutable(): Item[] {
  return [
    copy('rbx', 'rsp'),
    set('rdi', { addressOf: 'self' }),
    ...kernel('readlink', undefined, memory.path, pathLimit),
    compare('rax', 1),
    jump('notExecuted', 'less'),
    copy('rdi', 'rax'),
    increase('rdi', memory.path),
    label('lastSlash'),
    increase('rdi', -1),
    load8('rax', at('rdi')),
    compare('rax', 0x2f),
    jump('lastSlash', 'notEqual'),
    set('rax', number('fairlead')),
    store(at('rdi', 1), 'rax'),
    set('rax', 0),
    store(at('rdi', 9), 'rax'),
  ];
}

/** r15: argv[0]; r14: the length of argv[0] and the environment, which follow each other in memory (linux: fs/exec.c). */
function findStrings(): Item[] {
  return [
    load('rax', at('rbx')),
    compare('rax', 1),
    jump('execute', 'notEqual'),
    load('r15', at('rbx', 8)),
    set('rax', number('CNI_COMM')),
    copy('rsi', 'rbx'),
    increase('rsi', 24),
    label('nextVariable'),
    load('rdi', at('rsi')),
    compare('rdi', 0),
    jump('execute', 'equal'),
    increase('rsi', 8),
    compareMemory(at('rdi'), 'rax'),
    jump('nextVariable', 'notEqual'),
    label('lastVariable'),
    load('rax', at('rsi')),
    compare('rax', 0),
    jump('endOfStrings', 'equal'),
    copy('rdi', 'rax'),
    increase('rsi', 8),
    jump('lastVariable'),
    label('endOfStrings'),
    load8('rax', at('rdi')),
    increase('rdi', 1),
    compare('rax', 0),
    jump('endOfStrings', 'notEqual'),
    copy('r14', 'rdi'),
    subtract('r14', 'r15'),
  ];
}

/** r12: the socket. It is closed when another program is executed. */
function connect(): Item[] {
  return [
    ...kernel('socket', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
    compare('rax', 0),
    jump('execute', 'less'),
    copy('r12', 'rax'),
    set('rsi', { addressOf: 'address' }),
    ...kernel('connect', 'r12', undefined, texts.address.length),
    compare('rax', 0),
    jump('execute', 'notEqual'),
  ];
}

function identify(): Item[] {
  const files = ['', 'net', 'mnt', 'root'];
  return files.flatMap((file, index) => {
    const to = memory.question + questionLayout.identities + index * statxSize;
    return [
      file === '' ? set('rsi', memory.path) : set('rsi', { addressOf: file }),
      ...kernel('statx', AT_FDCWD, undefined, 0, STATX_INO, to),
      compare('rax', 0),
      jump('execute', 'notEqual'),
    ];
  });
}

/** Waits for a descriptor: struct pollfd is its number, and what is waited for in the upper half. */
function waitFor(descriptor: number | Register, what: number, milliseconds = 0xffffffff): Item[] {
  return [
    set('rax', BigInt(what) << 32n),
    ...(typeof descriptor === 'number' ? [] : [add('rax', descriptor)]),
    store(absolute(memory.poll), 'rax'),
    ...kernel('poll', memory.poll, 1, milliseconds),
  ];
}

/** r13: how many bytes were read. */
function readStdin(): Item[] {
  return [
    set('r13', 0),
    label('more'),
    copy('rsi', 'r13'),
    increase('rsi', memory.stdin),
    set('rdx', stdinRoom),
    subtract('rdx', 'r13'),
    // No room left is no end: `fairlead` says what is wrong.
    compare('rdx', 0),
    jump('again', 'equal'),
    ...kernel('read', 0),
    ...repeatInterrupted('more'),
    compare('rax', -EAGAIN),
    jump('readNow', 'notEqual'),
    ...waitFor(0, POLLIN),
    jump('more'),
    label('readNow'),
    compare('rax', 0),
    jump('again', 'less'),
    add('r13', 'rax'),
    compare('rax', 0),
    jump('more', 'notEqual'),
  ];
}

function ask(): Item[] {
  const { question, vectors, message } = memory;
  const putNumber = (to: number, value: number) => [set('rax', value), store(absolute(to), 'rax')];
  return [
    set('rax', number(begin)),
    store(absolute(question + questionLayout.begin), 'rax'),
    store(absolute(question + questionLayout.stringsLength), 'r14'),
    store(absolute(question + questionLayout.stdinLength), 'r13'),
    // struct iovec, three times: where, and how many bytes.
    ...putNumber(vectors, question),
    ...putNumber(vectors + 8, questionLayout.strings),
    store(absolute(vectors + 16), 'r15'),
    store(absolute(vectors + 24), 'r14'),
    ...putNumber(vectors + 32, memory.stdin),
    store(absolute(vectors + 40), 'r13'),
    // struct msghdr: msg_iov and msg_iovlen.
    ...putNumber(message + 16, vectors),
    ...putNumber(message + 24, 3),
    set('r10', { addressOf: 'patience' }),
    ...kernel('setsockopt', 'r12', SOL_SOCKET, SO_SNDTIMEO, undefined, 16),
    ...kernel('sendmsg', 'r12', message, MSG_NOSIGNAL),
    subtract('rax', 'r13'),
    subtract('rax', 'r14'),
    compare('rax', questionLayout.strings),
    jump('again', 'notEqual'),
  ];
}

/** r14: the byte with which the call was taken. */
function waitUntilTaken(): Item[] {
  return [
    label('wait'),
    ...waitFor('r12', POLLIN, patience),
    ...repeatInterrupted('wait'),
    compare('rax', 1),
    jump('take', 'equal'),
    // From now on the server cannot take it; it may have done so just now.
    ...kernel('shutdown', 'r12', SHUT_RD),
    label('take'),
    ...kernel('recvfrom', 'r12', memory.taken, 1, 0, 0, 0),
    ...repeatInterrupted('take'),
    compare('rax', 1),
    jump('again', 'notEqual'),
    load8('r14', absolute(memory.taken)),
  ];
}

/** rbp: the length of the answer. */
function receive(): Item[] {
  return [
    set('rbp', 0),
    label('receive'),
    copy('rsi', 'rbp'),
    increase('rsi', memory.answer),
    set('rdx', answerLimit),
    subtract('rdx', 'rbp'),
    ...kernel('recvfrom', 'r12', undefined, undefined, 0, 0, 0),
    ...repeatInterrupted('receive'),
    compare('rax', 0),
    jump('lost', 'less'),
    add('rbp', 'rax'),
    compare('rax', 0),
    jump('receive', 'notEqual'),
    // All of it?
    compare('rbp', answerHeaderSize),
    jump('lost', 'below'),
    load32('r8', absolute(memory.answer + 4)),
    load32('r9', absolute(memory.answer + 8)),
    subtract('rbp', 'r8'),
    subtract('rbp', 'r9'),
    compare('rbp', answerHeaderSize),
    jump('lost', 'notEqual'),
  ];
}

function answer(): Item[] {
  return [
    load32('rbp', absolute(memory.answer)),
    set('rax', doItYourself),
    compare('rbp', 'rax'),
    jump('again', 'equal'),
    set('rdi', 1),
    set('rsi', memory.answer + answerHeaderSize),
    copy('rdx', 'r8'),
    call('writeAll'),
    compare('rdx', 0),
    jump('notWritten', 'notEqual'),
    set('rdi', 2),
    copy('rdx', 'r9'),
    call('writeAll'),
    ...kernel('exit_group', 'rbp'),
  ];
}

/** Taken, and no answer: what else a call does, it does as well a second time. */
function lost(): Item[] {
  return [
    label('lost'),
    compare('r14', taken.add),
    jump('again', 'notEqual'),
    set('rsi', { addressOf: 'lostText' }),
    set('rdx', texts.lostText.length),
    label('fail'),
    set('rdi', 1),
    call('writeAll'),
    label('notWritten'),
    ...kernel('exit_group', 1),
  ];
}

/** Executes `fairlead`, and gives it the standard input that was read already. */
function execute(): Item[] {
  return [
    label('again'),
    compare('r13', 0),
    jump('execute', 'equal'),
    set('rdi', { addressOf: 'name' }),
    ...kernel('memfd_create', undefined, MFD_CLOEXEC),
    compare('rax', 0),
    jump('notExecuted', 'less'),
    copy('rbp', 'rax'),
    copy('rdi', 'rbp'),
    set('rsi', memory.stdin),
    copy('rdx', 'r13'),
    call('writeAll'),
    compare('rdx', 0),
    jump('notExecuted', 'notEqual'),
    ...kernel('lseek', 'rbp', 0, 0),
    ...kernel('dup2', 'rbp', 0),
    label('execute'),
    // The environment begins behind argv and its 0.
    load('rdx', at('rbx')),
    add('rdx', 'rdx'),
    add('rdx', 'rdx'),
    add('rdx', 'rdx'),
    add('rdx', 'rbx'),
    increase('rdx', 16),
    copy('rsi', 'rbx'),
    increase('rsi', 8),
    ...kernel('execve', memory.path),
    label('notExecuted'),
    set('rsi', { addressOf: 'aloneText' }),
    set('rdx', texts.aloneText.length),
    jump('fail'),
  ];
}

/** Writes rdx bytes at rsi to rdi: rsi is behind them then, and rdx what could not be written. r10, r14, r15 are lost. */
function writeAll(): Item[] {
  return [
    label('writeAll'),
    compare('rdx', 0),
    jump('written', 'equal'),
    ...kernel('write'),
    ...repeatInterrupted('writeAll'),
    compare('rax', -EAGAIN),
    jump('wroteNow', 'notEqual'),
    copy('r10', 'rdi'),
    copy('r15', 'rsi'),
    copy('r14', 'rdx'),
    ...waitFor('rdi', POLLOUT),
    copy('rdi', 'r10'),
    copy('rsi', 'r15'),
    copy('rdx', 'r14'),
    jump('writeAll'),
    label('wroteNow'),
    compare('rax', 0),
    jump('written', 'lessOrEqual'),
    add('rsi', 'rax'),
    subtract('rdx', 'rax'),
    jump('writeAll'),
    label('written'),
    back,
  ];
}

/** The bytes of `fairlead-call` for x86-64. */
export function callerProgram(): Uint8Array<ArrayBuffer> {
  const items = [
    ...findExecutable(),
    ...findStrings(),
    ...connect(),
    ...identify(),
    ...readStdin(),
    ...ask(),
    ...waitUntilTaken(),
    ...receive(),
    ...answer(),
    ...lost(),
    ...execute(),
    ...writeAll(),
    ...Object.entries(texts).flatMap(([name, text]) => [label(name), data(text)]),
  ];
  return executableOf(items, memory.end - memoryAddress);
}
