/**
 * The far ends of traffic.ts:
 *
 *     serve tcp|udp PORT NAME        says "ready" once it listens, and answers until it is killed
 *     ask tcp|udp ADDRESS PORT TEXT TIMEOUT-MS SOURCE-PORT     prints the answer; source port 0 is any
 */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

/** Another protocol's two ends. */
export interface OtherEnds {
  serve(port: number, answer: Answerer, ready: () => void): void;
  /** The answer. Throws where none comes in time. */
  ask(address: string, port: number, text: string, timeoutMs: number): string;
}

/** What a server answers: to whom, and to which text. */
export type Answerer = (from: { address: string; port: number }, text: string) => string;

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** The answer: who serves, whom it saw, what it heard. */
function answersOf(server: string): Answerer {
  return (from, text) => JSON.stringify({ server, source: plain(from.address), sourcePort: from.port, text });
}

const ready = () => void process.stdout.write('ready\n');

function serveTcp(port: number, answer: Answerer): void {
  const server = createServer((socket) => {
    const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    socket.on('error', () => undefined);
    socket.once('data', (data) => socket.end(answer(from, String(data))));
  });
  server.listen(port, '::', ready);
}

function serveUdp(port: number, answer: Answerer): void {
  const socket = createSocket('udp6');
  socket.on('message', (data, from) => socket.send(answer(from, String(data)), from.port, from.address));
  socket.bind(port, '::', ready);
}

function askTcp(address: string, port: number, text: string, localPort: number): void {
  const socket = connect({ host: address, port, ...(localPort === 0 ? {} : { localPort }) }, () =>
    socket.write(text),
  );
  socket.on('error', fail);
  let heard = '';
  socket.on('data', (data) => {
    heard += String(data);
  });
  socket.on('close', () => (heard === '' ? fail(new Error('closed without an answer')) : succeed(heard)));
}

function askUdp(address: string, port: number, text: string, localPort: number): void {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', fail);
  socket.on('message', (data) => succeed(String(data)));
  // Connected, so that a port that nobody listens on is an error at once.
  socket.bind(localPort, () => socket.connect(port, address, () => socket.send(text)));
}

/** The answer, and how long it took to come, the start of this process not counted. */
function succeed(heard: string): never {
  process.stdout.write(JSON.stringify({ ...JSON.parse(heard), ms: performance.now() - start }));
  process.exit(0);
}

function fail(error: Error): never {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const start = performance.now();

/** Runs one end, as the arguments say; protocols that it does not know are `other`. */
export function runEcho([verb, protocol = '', ...rest]: readonly string[], other?: OtherEnds): void {
  const [first = '', second = '', text = '', timeoutMs, sourcePort] = rest;
  if (verb === 'serve') serve(protocol, Number(first), answersOf(second), other);
  else
    ask(
      { protocol, address: first, port: Number(second), text, timeoutMs: Number(timeoutMs) },
      Number(sourcePort),
      other,
    );
}

function serve(protocol: string, port: number, answer: Answerer, other?: OtherEnds): void {
  if (protocol === 'tcp') serveTcp(port, answer);
  else if (protocol === 'udp') serveUdp(port, answer);
  else other?.serve(port, answer, ready);
}

interface Question {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly text: string;
  readonly timeoutMs: number;
}

function ask(
  { protocol, address, port, text, timeoutMs }: Question,
  sourcePort: number,
  other?: OtherEnds,
): void {
  setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  if (protocol === 'tcp') askTcp(address, port, text, sourcePort);
  else if (protocol === 'udp') askUdp(address, port, text, sourcePort);
  else if (other !== undefined) succeed(other.ask(address, port, text, timeoutMs));
}
