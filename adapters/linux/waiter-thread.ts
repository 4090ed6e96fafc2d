/** Run as a thread by sockets that are used from the sources. */
import { parentPort, workerData } from "node:worker_threads"
import { runWaiter } from "./waiter.ts"

if (parentPort !== null) runWaiter(workerData, parentPort)
