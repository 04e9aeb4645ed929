/**
 * The names that come from outside and become paths, file names and interface names. Each function says what is
 * wrong with one, to be read after its name, or returns undefined if it is right.
 */
import { bytesFromText } from '../lib/bytes.ts';

/** What container ids and network names consist of (SPEC.md section 1 `name` and section 2 `CNI_CONTAINERID`). */
const identifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** The longest identifier: longer ones could not be file names (NAME_MAX, linux/limits.h). */
const identifierMax = 255;

/** The longest interface name in bytes: IFNAMSIZ less the final NUL (linux/if.h). */
const interfaceNameMax = 15;

/** What is wrong with a container id or a network name. */
export function identifierProblem(text: string): string | undefined {
  if (text.length > identifierMax) return `must have at most ${identifierMax} characters, got ${text.length}`;
  if (identifier.test(text)) return undefined;
  return `must start with a letter or digit and have only letters, digits, "_", "." and "-", got ${quoted(text)}`;
}

/**
 * What is wrong with the name of a network interface, by the kernel's rules (`dev_valid_name`, net/core/dev.c). It takes one
 * with "%" for a pattern, and gives the link another name (`dev_alloc_name`).
 */
export function interfaceNameProblem(text: string): string | undefined {
  const bytes = bytesFromText(text).length;
  if (bytes === 0) return 'must not be empty';
  if (bytes > interfaceNameMax)
    return `must have at most ${interfaceNameMax} bytes, got ${bytes} in ${quoted(text)}`;
  if (text === '.' || text === '..') return `must not be "${text}"`;
  if (!/[\s/:%\p{Cc}]/u.test(text)) return undefined;
  return `must not have "/", ":", "%", white space or control characters, got ${quoted(text)}`;
}

/** What is wrong with the path of a network namespace. Whether there is one is seen when it is opened. */
export function namespacePathProblem(text: string): string | undefined {
  if (!text.startsWith('/')) return `must be an absolute path, got ${quoted(text)}`;
  return text.includes('\0') ? 'must not have a NUL character' : undefined;
}

/** What is wrong with a plugin's type, which is looked up as a file name in the directories of `CNI_PATH`. */
export function pluginTypeProblem(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (text === '.' || text === '..') return `must not be "${text}"`;
  if (!/[/\\\p{Cc}]/u.test(text)) return undefined;
  return `must be the name of a file, without directories or control characters, got ${quoted(text)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
