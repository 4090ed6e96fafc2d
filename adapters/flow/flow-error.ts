import { errorNameOf, FLOW_ERRORS, type FlowErrorName } from "../../core/flow/index.ts"

/** What every call on flows rejects with: nothing else. Its code is the name that Ouroboros' `dev.h` has for it. */
export class FlowError extends Error {
  /** Tells it from other errors where `instanceof` cannot: from another copy of the package. */
  override readonly name = "FlowError"
  /** Which kind of failure it is, for programs. */
  readonly code: FlowErrorName
  /** What the other side answered, where it refused: a negated error number. */
  readonly response: number | undefined

  /** Made by the calls of this package; there is no need to make one. */
  constructor(
    code: FlowErrorName,
    text: string,
    more: { readonly response?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(`${code}: ${text}`, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.response = more.response
  }
}

/** The other side refused. */
export const refusal = (name: string, response: number): FlowError => {
  const code = errorNameOf(response)
  const text =
    code === "ENAME"
      ? `the host that answered has no name ${name}`
      : `the other side refused the flow to ${name}: ${code ?? response}`
  return new FlowError(code ?? "ECONNREFUSED", text, { response })
}

/** The response that refuses for a reason: an error's name, or a number of the application's own, which goes out negated. */
export const refusalOf = (reason: FlowErrorName | number): number =>
  typeof reason === "number" ? -Math.abs(reason) : -FLOW_ERRORS[reason]
