/** What clients of varpd ask for, through its door: their calls as data. */
export {
  answerCall,
  DOOR_COMMANDS,
  type DoorCall,
  type DoorCommand,
  type DoorReply,
  type DoorState,
  type DoorStep,
  doorCommandOf,
  WALK_LIMIT,
} from "./door.ts"
