//! optimize: the only step that writes to an application. Applies the plan, settles what a crash left, undoes what did
//! not help. Order, guards and journal are the engine's.
