/**
 * The far ends of traffic.ts, a process each, run by Bun in a namespace:
 *
 *     echo.ts serve tcp|udp|sctp PORT NAME        says "ready" once it listens, and answers until it is killed
 *     echo.ts ask tcp|udp|sctp ADDRESS PORT TEXT TIMEOUT-MS SOURCE-PORT     prints the answer; source port 0 is any
 */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { askSctp, serveSctp } from './sctp.ts';

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** The answer: who serves, whom it saw, what it heard. */
function answer(from: { address: string; port: number }, text: string): string {
  return JSON.stringify({
    server: process.argv[5],
    source: plain(from.address),
    sourcePort: from.port,
    text,
  });
}

const ready = () => void process.stdout.write('ready\n');

function serveTcp(port: number): void {
  const server = createServer((socket) => {
    const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    socket.on('error', () => undefined);
    socket.once('data', (data) => socket.end(answer(from, String(data))));
  });
  server.listen(port, '::', ready);
}

function serveUdp(port: number): void {
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

function serve(protocol: string, port: number): void {
  if (protocol === 'tcp') serveTcp(port);
  else if (protocol === 'udp') serveUdp(port);
  else serveSctp(port, answer, ready);
}

function ask(
  protocol: string,
  address: string,
  port: number,
  text: string,
  timeoutMs: number,
  sourcePort: number,
): void {
  setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  if (protocol === 'tcp') askTcp(address, port, text, sourcePort);
  else if (protocol === 'udp') askUdp(address, port, text, sourcePort);
  else succeed(askSctp(address, port, text, timeoutMs));
}

const start = performance.now();
const [verb, protocol = '', ...rest] = process.argv.slice(2);
const [first = '', second = '', text = '', timeoutMs, sourcePort] = rest;
if (verb === 'serve') serve(protocol, Number(first));
else ask(protocol, first, Number(second), text, Number(timeoutMs), Number(sourcePort));
