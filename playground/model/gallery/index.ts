/** Ready examples: the page opens with the first of them. */
import { PACKET_EXAMPLES, ROUTER_EXAMPLES } from "./broken.ts"
import { EXAMPLE_GROUPS, type Example, type ExampleGroup } from "./example.ts"
import { FLOW_EXAMPLES } from "./flow.ts"
import { NATPMP_EXAMPLES } from "./natpmp.ts"
import { OVERLAY_EXAMPLES } from "./overlay.ts"
import { PCP_EXAMPLES } from "./rfc6887.ts"
import { SESSION_EXAMPLES } from "./session.ts"

export { EXAMPLE_GROUPS, type Example, type ExampleGroup }

/** All examples, group by group. */
export const GALLERY: readonly Example[] = [
  ...PCP_EXAMPLES,
  ...NATPMP_EXAMPLES,
  ...FLOW_EXAMPLES,
  ...OVERLAY_EXAMPLES,
  ...ROUTER_EXAMPLES,
  ...PACKET_EXAMPLES,
  ...SESSION_EXAMPLES,
].sort((one, other) => EXAMPLE_GROUPS.indexOf(one.group) - EXAMPLE_GROUPS.indexOf(other.group))

/** What is open when somebody comes for the first time. */
export const FIRST_EXAMPLE: Example = GALLERY[0]

/** An example by its id. */
export const exampleOf = (id: string): Example | undefined => GALLERY.find((one) => one.id === id)
