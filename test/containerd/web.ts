/** Web pages, by which the tests see who reaches whom. Client and server are busybox, inside containers and outside. */
import { within } from '../support/container.ts';
import { type Ended, runProgram } from '../support/program.ts';

/** The port that every web server of the tests listens on, on all addresses of both families. */
export const webPort = 8080;

/** The command that serves a directory. It stays in the foreground. */
export function serveCommand(directory: string): readonly string[] {
  return ['busybox', 'httpd', '-f', '-p', String(webPort), '-h', directory];
}

/**
 * The command that prints a page, in a container; it fails where that takes more than 3 s. Not by wget's own option:
 * Debian's static busybox (1.35) crashes with it.
 */
export function getCommand(url: string): readonly string[] {
  return ['timeout', '3', ...wget(url)];
}

function wget(url: string): readonly string[] {
  return ['busybox', 'wget', '-q', '-O', '-', url];
}

/** Gets a page, from a namespace or (undefined) from the node itself. */
export function get(netns: string | undefined, url: string): Promise<Ended> {
  // The node's timeout is coreutils': busybox's own leaves a process behind until the time is over.
  return runProgram(['timeout', '3', ...within(netns, wget(url))]);
}

/** The URL of a web server; an IPv6 address gets its brackets. */
export function url(address: string, port = webPort): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/`;
}
