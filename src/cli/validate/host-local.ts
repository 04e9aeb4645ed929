/** What host-local looks at only when it is called, beyond its schema: the ranges, and how they lie to one another. */
import { CniError } from '../../cni/index.ts';
import type { JsonObject } from '../../cni/json.ts';
import type { Path, Problem } from '../../cni/schema/index.ts';
import {
  dataDirOf,
  type HostLocalConfig,
  hostLocalSchema,
  rangeSetsOf,
  resolvConfOf,
} from '../../plugins/ipam/host-local/config.ts';
import { BadRangeError, completeRange, type RangeConfig } from '../../plugins/ipam/host-local/range.ts';

/** The problems of a configuration that its schema found right. */
export function hostLocalProblems(json: JsonObject, capabilities: readonly string[]): readonly Problem[] {
  const config = hostLocalSchema.read(json, [], []);
  if (config === undefined) return [];
  const ranges = rangesOf(config).flatMap(([path, range]) => rangeProblem(path, range));
  const filledInLater =
    ranges.length > 0 || (capabilities.includes('ipRanges') && rangesOf(config).length === 0);
  return [
    ...ranges,
    ...(filledInLater ? [] : thrownBy(() => rangeSetsOf(config))),
    ...thrownBy(() => dataDirOf(config)),
    ...thrownBy(() => resolvConfOf(config)),
  ];
}

function rangesOf({ ipam }: HostLocalConfig): (readonly [Path, RangeConfig])[] {
  const { subnet } = ipam;
  const sets = ipam.ranges.flatMap((set, index) =>
    set.map((range, place): readonly [Path, RangeConfig] => [['ipam', 'ranges', index, place], range]),
  );
  return subnet === undefined ? sets : [[['ipam'], { ...ipam, subnet }], ...sets];
}

function rangeProblem(path: Path, range: RangeConfig): Problem[] {
  try {
    completeRange(range);
    return [];
  } catch (error) {
    if (!(error instanceof BadRangeError)) throw error;
    const [, key, message = error.message] = /^`(\w+)` (.*)$/s.exec(error.message) ?? [];
    return [{ path: key === undefined ? path : [...path, key], message }];
  }
}

/** As a problem at the key that the message names: "`ipam.ranges[1]` of plugin `host-local`: must …". */
function thrownBy(read: () => unknown): Problem[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    const [, key = '', message = error.msg] =
      /^`([^`]*)` of plugin `host-local`:? (.*)$/s.exec(error.msg) ?? [];
    return [
      {
        path: (key.match(/[^.[\]]+/g) ?? []).map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
        message,
      },
    ];
  }
}
