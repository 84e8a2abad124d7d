use serde::{Deserialize, Serialize};

/// The state of an instance (Compute Engine v1, `Instance.status`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum State {
    /// The machine runs.
    Running,
    /// The machine is being switched off.
    Stopping,
    /// The machine is being switched off, and the instance is deleted then.
    Deleting,
    /// The machine is off.
    Terminated,
}

/// What happens to an instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    /// It is asked to start.
    Start,
    /// It is asked to stop.
    Stop,
    /// It is asked to boot again at once.
    Reset,
    /// It is asked to go.
    Delete,
    /// Its machine is off, by itself or because it was asked to.
    Off,
}

/// What follows an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// The instance is in this state.
    State(State),
    /// There is no instance any more.
    Gone,
}

impl State {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopping | Self::Deleting => "STOPPING",
            Self::Terminated => "TERMINATED",
        }
    }

    /// What follows an event in this state; `None` if the instance is not ready for it.
    pub(super) fn after(self, event: Event) -> Option<Next> {
        use State::{Deleting, Running, Stopping, Terminated};
        let state = match (event, self) {
            (Event::Start, Running | Terminated) | (Event::Reset, Running) => Running,
            (Event::Stop, Running | Stopping) => Stopping,
            (Event::Stop, Terminated) | (Event::Off, Running | Stopping | Terminated) => Terminated,
            (Event::Delete, Running | Stopping | Deleting) => Deleting,
            (Event::Delete, Terminated) | (Event::Off, Deleting) => return Some(Next::Gone),
            (Event::Start, Stopping | Deleting)
            | (Event::Stop, Deleting)
            | (Event::Reset, Stopping | Deleting | Terminated) => return None,
        };
        Some(Next::State(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_stops_does_not_start_and_one_that_goes_does_not_stay() {
        use Event::{Delete, Off, Reset, Start, Stop};
        use State::{Deleting, Running, Stopping, Terminated};
        let is = |state| Some(Next::State(state));
        let gone = Some(Next::Gone);
        for (state, start, stop, reset, delete, off) in [
            (
                Running,
                is(Running),
                is(Stopping),
                is(Running),
                is(Deleting),
                is(Terminated),
            ),
            (
                Stopping,
                None,
                is(Stopping),
                None,
                is(Deleting),
                is(Terminated),
            ),
            (Deleting, None, None, None, is(Deleting), gone),
            (
                Terminated,
                is(Running),
                is(Terminated),
                None,
                gone,
                is(Terminated),
            ),
        ] {
            assert_eq!(state.after(Start), start, "{state:?}");
            assert_eq!(state.after(Stop), stop, "{state:?}");
            assert_eq!(state.after(Reset), reset, "{state:?}");
            assert_eq!(state.after(Delete), delete, "{state:?}");
            assert_eq!(state.after(Off), off, "{state:?}");
        }
    }
}
