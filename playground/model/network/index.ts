/** The client machine against a CGN over a network of one's own making: loss, delay, reordering, restarts. */
export { eventWords } from "./event-words.ts"
export { fateOf, GOOD_LINK, type LinkSettings } from "./link.ts"
export { type Act, type Flight, type Mark, type Run, runScenario, type Scenario } from "./run.ts"
export { type Timing, timingsOf } from "./timing.ts"
