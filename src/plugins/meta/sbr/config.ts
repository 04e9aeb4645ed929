/** What sbr's configuration says: the reference's keys, checked. */
import { array, boolean, type Infer, integer, object, string } from '../../../cni/index.ts';
import { type IpAddress, type IpFamily, parseAddress } from '../../../lib/ip.ts';
import { lastTable } from '../../shared/free-table.ts';

const gateway = string().map(parseAddress, 'an IP address such as "10.1.0.1"');

/** The keys of sbr. `gateways` and `addSourceHints` came to the reference after its release 1.9.1. */
export const sbrSchema = object({
  table: integer({ min: 1, max: lastTable }).optional(),
  gateways: array(gateway)
    .refine((gateways, report) => {
      for (const family of [4, 6]) {
        const [, second] = gateways.flatMap((one, index) => (one.family === family ? [index] : []));
        if (second !== undefined)
          report(`must be the only IPv${family} address: one gateway a family is for all addresses`, second);
      }
    })
    .default([]),
  addSourceHints: boolean().default(false),
});

/** The configuration, checked. */
export type SbrConfig = Infer<typeof sbrSchema>;

/** The configuration's gateway for addresses of a family. */
export function fixedGateway({ gateways }: SbrConfig, family: IpFamily): IpAddress | undefined {
  return gateways.find((one) => one.family === family);
}
