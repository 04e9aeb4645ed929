/** An inspection as people read it. */

import { printable } from '../text/printable.ts';
import type { Style } from '../text/style.ts';
import { type Cell, table } from '../text/table.ts';
import { type Fact, isDifference } from './fact.ts';
import type { AttachmentInspection, Inspection } from './inspection.ts';

/** Every attachment below one another, then what else is there. */
export function inspectionText({ netns, attachments, besides }: Inspection, style: Style): string {
  const parts = attachments.map((one) => attachmentText(one, style));
  if (attachments.length === 0) parts.push(`no attachment of ${netns} is known; this is what is in it\n`);
  const others = factTable(besides, style);
  if (others !== '')
    parts.push(attachments.length === 0 ? others : `${style.bold('besides, in the container')}\n\n${others}`);
  return parts.join('\n');
}

function attachmentText(one: AttachmentInspection, style: Style): string {
  const { network, containerId, ifname, netns, netnsExists, pod, plugins, configuration, facts } = one;
  const count = facts.filter(isDifference).length;
  const verdict =
    count === 0 ? style.green('as it was made') : style.red(`${count} difference${count === 1 ? '' : 's'}`);
  const { file = '', state } = configuration;
  const about: readonly (readonly [string, string])[] = [
    ['container', containerId],
    ...(pod === undefined ? [] : [['pod', pod] as const]),
    ['namespace', netnsExists ? netns : `${netns} (gone)`.trim()],
    ['plugins', plugins.join(' → ')],
    ['configured', file === '' ? state : `${file}, ${state}`],
  ];
  const lines = about.map(([name, value]) => `  ${name.padEnd(10)}  ${printable(value)}\n`);
  return `${style.bold(printable(`${ifname} in network ${network}`))}: ${verdict}\n${lines.join('')}\n${factTable(facts, style)}`;
}

const marks: Readonly<Record<Fact['state'], string>> = { same: '✓', missing: '✗', differs: '✗', also: '+' };

/** A line a fact; a line between groups. */
function factTable(facts: readonly Fact[], style: Style): string {
  const rows = facts.flatMap((fact, index): (readonly Cell[])[] => {
    const isNew = index > 0 && facts[index - 1]?.group !== fact.group;
    return [...(isNew ? [['']] : []), rowOf(fact, style)];
  });
  return table(['', 'WHAT', 'CONFIGURED', 'FOUND'], rows, style);
}

function rowOf({ what, configured, found, state }: Fact, style: Style): readonly Cell[] {
  const colour = state === 'same' ? style.green : state === 'also' ? style.dim : style.red;
  return [
    { text: marks[state], style: colour },
    what,
    configured,
    state === 'same' ? found : { text: found || 'missing', style: colour },
  ];
}
