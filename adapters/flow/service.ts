import {
  createFlowLayer,
  DEFAULT_FLOW_SETTINGS,
  FIRST_FORM_PORT,
  FLOW_PORT,
  type FlowEnd,
  type FlowEvent,
  LARGEST_EID,
  nameView,
} from "../../core/flow/index.ts"
import { ANY4, isAny, isIpv4, sliceOctets } from "../../core/wire/index.ts"
import type { Clock } from "../host.ts"
import type { Endpoint } from "../udp.ts"
import type { FlowAcceptOptions, FlowAllocOptions, FlowService, FlowServiceOptions, IncomingFlow } from "./contract.ts"
import { type DirectoryEnd, directoryName } from "./directory.ts"
import { type Driver, drive } from "./driver.ts"
import { type Flow, openFlow, pace } from "./flow.ts"
import { FlowError, refusal, refusalOf } from "./flow-error.ts"
import { type Inbox, type InboxBounds, inbox } from "./inbox.ts"
import { pushable } from "./pushable.ts"

const TIMEOUT = 20_000
const BOUNDS: InboxBounds = { messages: 1024, octets: 8 * 1024 * 1024 }
const MAX_FLOWS = 1_000_000
/** Ends of a name that are tried. */
const MOST_ENDS = 16
/** Milliseconds until a full layer is looked at again. */
const FULL = 500

/** What waits for an event of one flow. */
type Waiter = (event: FlowEvent) => void

/** Starts a layer on a runtime's sockets. Rejects with EINVAL for settings out of bounds, EIPCP where it cannot listen. */
export const startFlowService = async (options: FlowServiceOptions): Promise<FlowService> => {
  const { udp, clock, entropy, directory, spawn, dropped, socketError } = options
  const settings = { eids: "random", lastEid: LARGEST_EID, maxFlows: MAX_FLOWS, ...options.settings } as const
  const made = createFlowLayer({ seed: entropy(32), now: clock.now(), settings })
  if (!made.ok) throw new FlowError("EINVAL", made.error.text)
  const form = settings.form ?? DEFAULT_FLOW_SETTINGS.form
  const port = form === "first" ? FIRST_FORM_PORT : FLOW_PORT
  const local = options.local ?? [{ address: ANY4, port }]
  const boxes = new Map<number, Inbox>()
  const waiters = new Map<number, Waiter>()
  // Whoever connects no socket has an asynchronous one of its own making.
  const pacing = pace(udp.limits.includes("connect"))
  const bounds = options.inbox ?? BOUNDS
  const published = new Set<string>()
  let ends = options.publish
  let closing: Promise<void> | undefined
  /** Changes of the directory, one after the other; and the last of them, as it went. */
  let directing: Promise<void> = Promise.resolve()
  let changed: Promise<void> = directing

  const event = (one: FlowEvent): void => {
    switch (one.type) {
      case "data":
        pacing.came()
        boxes.get(one.flow)?.put(one.data)
        break
      case "down": {
        const text = one.error === "EFLOWPEER" ? "nothing was heard from the peer" : "the flow is down"
        boxes.get(one.flow)?.end(new FlowError(one.error, text))
        boxes.delete(one.flow)
        break
      }
      case "destroyed":
        boxes.delete(one.flow)
        break
      case "dropped":
        dropped?.(one.reason)
        break
      case "spawn":
        spawn?.(one.name, one.program)
        break
      default:
        waiters.get(one.flow)?.(one)
    }
  }

  const driver: Driver = await drive({
    udp,
    clock,
    layer: made.layer,
    sockets: local.map((one) => ({ local: one })),
    event,
    directory: ({ type, name }) => {
      if (type === "publish") published.add(name)
      else published.delete(name)
      changed = announce(name, type === "publish")
      changed.catch(() => {})
    },
    socketError,
  })

  /** Where names are to be found: on the wire's addresses, without a port where it is the form's own. */
  const publicEnds = (): readonly FlowEnd[] => ends ?? driver.local.filter(({ address }) => !isAny(address))

  /** Publishes or takes out, after all that was asked of the directory before. */
  const announce = (name: string, known: boolean): Promise<void> => {
    const named = directoryName(name)
    if (named === undefined || directory?.publish === undefined) return directing
    const change = directing.then(async () => directory.publish?.(named, known ? publicEnds() : []))
    directing = change.then(
      () => {},
      () => {},
    )
    return change
  }

  const flowOf = (id: number, name: string, peer: Endpoint, data: Uint8Array): Flow => {
    const box = inbox(bounds)
    boxes.set(id, box)
    return openFlow(driver, pacing, box, { id, name, peer, data: sliceOctets(data) }, () => boxes.delete(id))
  }

  /** Waits for what becomes of a flow that is pending. `take` is called within the step, so that no message is missed. */
  const outcome = <T>(id: number, signal: AbortSignal | undefined, take: (event: FlowEvent) => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const finish = (): void => {
        waiters.delete(id)
        signal?.removeEventListener("abort", abort)
      }
      const abort = (): void => {
        finish()
        try {
          driver.command({ type: "dealloc", flow: id })
        } catch {
          // It is over.
        }
        reject(new FlowError("ECANCELED", "the call was aborted", { cause: signal?.reason }))
      }
      waiters.set(id, (one) => {
        finish()
        try {
          resolve(take(one))
        } catch (cause) {
          reject(cause)
        }
      })
      signal?.addEventListener("abort", abort, { once: true })
    })

  const find = async (name: string, { to, signal }: FlowAllocOptions): Promise<readonly Endpoint[]> => {
    const named = directoryName(name)
    if (named === undefined) throw new FlowError("EINVAL", "a name has 1 to 255 octets of UTF-8, and no NUL")
    const found = to === undefined ? await lookup(named, signal) : [to]
    if (found.length === 0) throw new FlowError("ENAME", `no directory knows where ${name} is`)
    const reached = found.filter(({ address }) => driver.local.some((own) => isIpv4(own.address) === isIpv4(address)))
    const [first] = found
    if (reached.length === 0 && first !== undefined) {
      const [theirs, ours] = isIpv4(first.address) ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"]
      throw new FlowError("EAFNOSUPPORT", `${name} is at ${theirs}, and the layer listens on ${ours} alone`)
    }
    return reached.slice(0, MOST_ENDS).map((one) => ({ ...one, port: one.port ?? port }))
  }

  const lookup = async (
    named: { readonly name: string; readonly label: string },
    signal: AbortSignal | undefined,
  ): Promise<readonly DirectoryEnd[]> => {
    try {
      return (await directory?.lookup(named, signal)) ?? []
    } catch (cause) {
      if (signal?.aborted) throw new FlowError("ECANCELED", "the call was aborted", { cause: signal.reason })
      throw new FlowError("EIPCP", `the directory failed for ${named.name}`, { cause })
    }
  }

  const flowAlloc: FlowService["flowAlloc"] = async (name, alloc = {}) => {
    const { qos, timeout = TIMEOUT, signal, data } = alloc
    if (signal?.aborted) throw new FlowError("ECANCELED", "the call was aborted", { cause: signal.reason })
    const begun = clock.now()
    const peers = await within(clock, timeout, find(name, alloc))
    const failures: FlowError[] = []
    for (const [i, peer] of peers.entries()) {
      if (signal?.aborted) throw new FlowError("ECANCELED", "the call was aborted", { cause: signal.reason })
      // What time there is, the ends that are left share.
      const left = Math.ceil((timeout - (clock.now() - begun)) / (peers.length - i))
      const id = driver.command({ type: "alloc", name, peer: driver.end(peer), qos, timeout: Math.max(1, left), data })
      try {
        return await outcome(id, signal, (one) => {
          if (one.type === "allocated") return flowOf(id, name, one.peer, one.data)
          throw one.type === "refused" ? refusal(name, one.response) : pendingError(name, one)
        })
      } catch (cause) {
        if (!(cause instanceof FlowError) || !goesOn(cause)) throw cause
        failures.push(cause)
      }
    }
    // Who answered says more than who did not.
    throw (
      failures.find(({ response }) => response !== undefined) ??
      failures[0] ??
      new FlowError("EIRMD", "no end was tried")
    )
  }

  const incoming = (one: FlowEvent & { readonly type: "request" }): IncomingFlow => {
    const { flow, name, qos, peer } = one
    const data = sliceOctets(one.data)
    return {
      name,
      qos,
      data,
      peer,
      accept: async (accepted = {}) => {
        // Its box is there before the first message can be.
        const opened = flowOf(flow, name, peer, data)
        try {
          driver.command({ type: "respond", flow, response: 0, data: accepted.data })
        } catch (cause) {
          boxes.delete(flow)
          throw cause
        }
        return opened
      },
      refuse: async (reason = "ECONNREFUSED") => {
        driver.command({ type: "respond", flow, response: refusalOf(reason) })
      },
    }
  }

  async function* accepting(name: string, { signal }: FlowAcceptOptions): AsyncIterableIterator<IncomingFlow> {
    const known = nameView(driver.state(), name)
    if (known === undefined) driver.command({ type: "create-name", name })
    const own = known?.registered !== true
    const requests = pushable<IncomingFlow>()
    let waiting: number | undefined
    let retry = (): void => {}
    const wait = (): void => {
      if (closing !== undefined) {
        requests.end(undefined)
        return
      }
      try {
        driver.command({ type: "accept", name }, (id) => {
          waiting = id
          waiters.set(id, (one) => offered(id, one))
        })
      } catch (cause) {
        // Full: requests are lost, and asked again, until a flow ends. Whoever asks must not end the one who listens.
        if (!(cause instanceof FlowError) || cause.code !== "ENOMEM") throw cause
        retry = clock.after(FULL, again)
      }
    }
    /** Nobody is there to catch what a timer throws. */
    const again = (): void => {
      if (nameView(driver.state(), name) === undefined) requests.end(undefined)
      else wait()
    }
    const offered = (id: number, one: FlowEvent): void => {
      waiters.delete(id)
      const mine = waiting === id
      waiting = undefined
      if (one.type === "request") requests.push(incoming(one))
      else if (mine) requests.end(one.type === "failed" && one.error !== "EPIPE" ? pendingError(name, one) : undefined)
    }
    const abort = (): void => {
      retry()
      requests.end(undefined)
    }
    signal?.addEventListener("abort", abort, { once: true })
    try {
      if (own) await registerName(name)
      while (signal?.aborted !== true) {
        wait()
        const next = await requests.next()
        if (next === undefined) return
        yield next
      }
    } finally {
      signal?.removeEventListener("abort", abort)
      retry()
      if (closing === undefined) {
        if (waiting !== undefined) driver.command({ type: "dealloc", flow: waiting })
        // Somebody else may have destroyed it, which is how the iteration ends.
        const isThere = nameView(driver.state(), name) !== undefined
        if (isThere && known === undefined) await destroyName(name)
        else if (isThere && own) await unregisterName(name)
      }
    }
  }

  const destroyName = async (name: string): Promise<void> => {
    driver.command({ type: "destroy-name", name })
    await directing
  }

  const unregisterName = async (name: string): Promise<void> => {
    driver.command({ type: "unregister-name", name })
    await directing
  }

  const registerName = async (name: string): Promise<void> => {
    driver.command({ type: "register-name", name })
    try {
      await changed
    } catch (cause) {
      driver.command({ type: "unregister-name", name })
      throw new FlowError("EIPCP", `cannot publish ${name}`, { cause })
    }
  }

  const close = (): Promise<void> => {
    closing ??= (async () => {
      const names = [...published]
      driver.command({ type: "exit" })
      for (const [id, waiter] of [...waiters]) waiter({ type: "failed", flow: id, error: "EPIPE" })
      for (const box of boxes.values()) box.end(undefined)
      await Promise.all(names.map((name) => announce(name, false).catch(() => {})))
      await driver.close()
    })()
    return closing
  }

  return {
    local: driver.local,
    state: driver.state,
    flowAlloc,
    flowAccept: (name, accept = {}) => accepting(name, accept),
    createName: (name) => {
      driver.command({ type: "create-name", name })
    },
    destroyName,
    bindProgram: (name, program, auto = true) => {
      driver.command({ type: "bind-program", name, program, auto })
    },
    unbindProgram: (name) => {
      driver.command({ type: "unbind-program", name })
    },
    registerName,
    unregisterName,
    publishAt: async (next) => {
      ends = next
      await Promise.all([...published].map((name) => announce(name, true)))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** May another end of the name have what this one has not? An application that refuses does so wherever it is asked. */
const goesOn = ({ code }: FlowError): boolean => code === "ETIMEDOUT" || code === "ENAME" || code === "EIPCP"

/** Why a flow that was pending is no more. */
const pendingError = (name: string, event: FlowEvent): FlowError =>
  event.type !== "failed"
    ? new FlowError("EIRMD", `unexpected: ${event.type}`)
    : event.error === "ETIMEDOUT"
      ? new FlowError("ETIMEDOUT", `nobody answered for ${name} in time`)
      : new FlowError(event.error, `no flow to ${name}`)

/** A promise, for as long as there is time. */
const within = <T>(clock: Clock, timeout: number, promise: Promise<T>): Promise<T> => {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(timeout, () => reject(new FlowError("ETIMEDOUT", "the directory did not answer in time")))
  })
  return Promise.race([promise, late]).finally(() => cancel())
}
