/** Run as a thread by sockets that are used from the sources. */
import { parentPort, workerData } from "node:worker_threads"
import { isWaiterRole, runWaiter } from "./waiter.ts"

if (parentPort !== null && isWaiterRole(workerData)) runWaiter(workerData, parentPort)
