/** What vrf's configuration says: the reference's keys, checked. */
import { type Infer, integer, object, string } from '../../../cni/index.ts';
import { interfaceNameProblem } from '../../../cni/names.ts';
import { lastTable } from '../../shared/free-table.ts';

/** The keys of vrf. A `table` of 0 is as none, as the reference has it. */
export const vrfSchema = object({
  vrfname: string().refine((name, report) => {
    const problem = interfaceNameProblem(name);
    if (problem !== undefined) report(problem);
  }),
  table: integer({ min: 0, max: lastTable }).default(0),
});

/** The configuration, checked. */
export type VrfConfig = Infer<typeof vrfSchema>;
