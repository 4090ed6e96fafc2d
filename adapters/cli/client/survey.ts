import type { Failure } from "../../../core/client/index.ts"
import { complain, note } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { failureText } from "./failure.ts"
import { complainOf, find } from "./find.ts"
import { hasAnswered, type Inquiry, inquire, type Questions } from "./inquiry.ts"
import type { ServerOptions } from "./server-options.ts"

/** What all servers said to the same questions. */
export interface Survey {
  readonly inquiries: readonly Inquiry[]
  /** Were the servers named, so that each of them has to answer? */
  readonly named: boolean
}

/** Looks for servers and asks them; the exit code, with the reason said, where there is nobody to ask. */
export const survey = async (questions: Questions, options: ServerOptions): Promise<Survey | ExitCode> => {
  const found = await find(options)
  if (!found.ok) {
    complain(found.text)
    return Exit.USAGE
  }
  complainOf(found.value)
  const { servers, named } = found.value
  if (servers.length === 0) return Exit.FAILED
  const asked = await inquire(servers, named, questions, options)
  if (asked.ok) return { inquiries: asked.value, named }
  complain(asked.text)
  return Exit.USAGE
}

/** Need a gateway that was only found say nothing, as another of them said something? */
export const isForgiven = (one: Inquiry, { named }: Survey, isSomebody: boolean): boolean =>
  !named && isSomebody && !hasAnswered(one)

/** Says why a server gave nothing; `undefined`: the time was up before it could. */
export const sayFailure = (name: string, failure: Failure | undefined, forgiven: boolean): void => {
  if (forgiven) note(`${name} does not answer: it may speak neither PCP nor NAT-PMP`)
  else complain(`${name}: ${failure === undefined ? "no answer, and the time is up" : failureText(failure)}`)
}
