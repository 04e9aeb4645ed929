import type { Command } from '../command.ts';
import { add } from './add.ts';
import { check } from './check.ts';
import { conformance } from './conformance.ts';
import { debug } from './debug.ts';
import { del } from './del.ts';
import { failures } from './failures.ts';
import { gc } from './gc.ts';
import { helpOn } from './help.ts';
import { inspect } from './inspect.ts';
import { install } from './install.ts';
import { list } from './list.ts';
import { newPlugin } from './new.ts';
import { serve } from './serve.ts';
import { status } from './status.ts';
import { trace } from './trace.ts';
import { validate } from './validate.ts';
import { version } from './version.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  add,
  check,
  del,
  list,
  status,
  gc,
  inspect,
  debug,
  failures,
  trace,
  validate,
  newPlugin,
  conformance,
  install,
  serve,
  version,
  helpOn(() => commands),
];
