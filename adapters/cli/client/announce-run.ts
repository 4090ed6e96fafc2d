import { clock } from "#runtime"
import { ResultCode, resultLifetime, resultName } from "../../../core/wire/index.ts"
import { complain, note } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { wallClock } from "../wall-clock.ts"
import { durationText } from "./duration.ts"
import { failureRecord, failureText } from "./failure.ts"
import { complainOf, find, serverRecord } from "./find.ts"
import { hasAnswered, type Inquiry, inquire } from "./inquiry.ts"
import { viaText } from "./mapping-words.ts"
import type { ServerOptions } from "./server-options.ts"
import { worstOf } from "./verdict.ts"

/** Asks servers whether they are there; gives the exit code. */
export const announce = async (options: ServerOptions): Promise<ExitCode> => {
  const found = await find(options)
  if (!found.ok) {
    complain(found.text)
    return Exit.USAGE
  }
  complainOf(found.value)
  const { servers, named } = found.value
  if (servers.length === 0) return Exit.FAILED
  const asked = await inquire(servers, named, { announce: true }, options)
  if (!asked.ok) {
    complain(asked.text)
    return Exit.USAGE
  }
  const isSomebody = asked.value.some(hasAnswered)
  const codes = asked.value.flatMap((one) => {
    const isForgiven = !named && isSomebody && !hasAnswered(one)
    return tell(one, isForgiven, options.json === true) ?? []
  })
  const good = codes.filter((code) => code === Exit.DONE)
  if (good.length === codes.length) return Exit.DONE
  if (good.length > 0) return Exit.PARTLY
  return codes.every((code) => code === codes[0]) ? codes[0] : Exit.FAILED
}

/** Prints what one said; gives the exit code that it would have alone, or none for a gateway that need not answer. */
const tell = ({ server, announced }: Inquiry, isForgiven: boolean, json: boolean): ExitCode | undefined => {
  const { client: _, ...end } = server.ends[0]
  const time = wallClock(clock).time()
  const print = (text: string): boolean => process.stdout.write(`${text}\n`)
  if (announced?.ok !== true) {
    const failure = announced?.failure ?? ({ kind: "no-answer", sent: 0 } as const)
    if (json) print(JSON.stringify({ time, event: "failed", server: serverRecord(end), ...failureRecord(failure) }))
    else if (isForgiven) note(`${server.name} does not answer: it may speak neither PCP nor NAT-PMP`)
    else complain(`${server.name}: ${announced === undefined ? "no answer, and the time is up" : failureText(failure)}`)
    return isForgiven ? undefined : worstOf([announced?.failure])
  }
  const { protocol, epoch, result } = announced.value
  if (json) {
    const name = resultName(result)
    print(
      JSON.stringify({
        time,
        event: "announced",
        server: serverRecord(end),
        via: protocol,
        epoch,
        result: { code: result, name },
      }),
    )
  } else print(`${server.name} speaks ${viaText(protocol)}, Epoch Time ${epoch} s (${durationText(epoch)})`)
  if (result === ResultCode.SUCCESS) return Exit.DONE
  if (!json) complain(`${server.name}: ${failureText({ kind: "result", code: result, lifetime: 0 })}`)
  return resultLifetime(result) === "short" ? Exit.SHORT_ERROR : Exit.FAILED
}
