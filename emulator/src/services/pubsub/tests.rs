use super::*;
use crate::services::testing::{OWNER, at, iam};

const TOPIC: &str = "projects/project/topics/topic";
const SUBSCRIPTION: &str = "projects/project/subscriptions/subscription";

fn subscription(name: &str, ack_deadline: i64) -> Subscription {
    Subscription {
        name: name.into(),
        topic: TOPIC.into(),
        ack_deadline,
    }
}

fn message(data: &[u8]) -> Message {
    Message {
        data: data.to_vec(),
        attributes: BTreeMap::new(),
    }
}

fn service(queues: Stored<Queues>) -> PubSub {
    PubSub::new(queues, Arc::new(iam()))
}

fn pubsub() -> PubSub {
    let pubsub = service(Stored::in_memory(Queues::default()));
    fill(&pubsub);
    pubsub
}

fn fill(pubsub: &PubSub) {
    pubsub.create_topic(&OWNER, TOPIC).unwrap();
    let subscription = subscription(SUBSCRIPTION, 0);
    pubsub.create_subscription(&OWNER, &subscription).unwrap();
    pubsub.publish(&OWNER, TOPIC, vec![message(b"x")]).unwrap();
}

fn pull(pubsub: &PubSub, now: u64) -> Option<Received> {
    pubsub.pull(&at(now), SUBSCRIPTION, 10).unwrap().pop()
}

fn acknowledge(pubsub: &PubSub, received: &Received) {
    let ids = [received.ack_id.clone()];
    pubsub.acknowledge(&OWNER, SUBSCRIPTION, &ids).unwrap();
}

#[test]
fn unacknowledged_messages_are_delivered_again() {
    let pubsub = pubsub();
    assert!(pull(&pubsub, 0).is_some());
    assert!(pull(&pubsub, 9).is_none());
    let again = pull(&pubsub, 10).unwrap();
    assert_eq!(again.attempt, 2);
    acknowledge(&pubsub, &again);
    assert!(pull(&pubsub, 99).is_none());
}

#[test]
fn returned_messages_are_delivered_again_immediately() {
    let pubsub = pubsub();
    let first = pull(&pubsub, 0).unwrap();
    let ids = [first.ack_id.clone()];
    let given_back = pubsub.modify_ack_deadline(&at(1), SUBSCRIPTION, &ids, 0);
    given_back.unwrap();
    let again = pull(&pubsub, 1).unwrap();
    acknowledge(&pubsub, &first);
    assert!(pull(&pubsub, 99).is_some(), "an old ID has lapsed");
    assert_ne!(first.ack_id, again.ack_id);
}

#[test]
fn one_invalid_message_prevents_publishing() {
    let pubsub = pubsub();
    let long = Message {
        attributes: [("n".to_owned(), "x".repeat(1025))].into(),
        ..Message::default()
    };
    for bad in [message(b""), long] {
        let refused = pubsub.publish(&OWNER, TOPIC, vec![message(b"x"), bad]);
        assert_eq!(refused.unwrap_err().code, 400);
    }
    let ids = pubsub.publish(&OWNER, TOPIC, vec![message(b"x")]).unwrap();
    assert_eq!(ids, ["2"]);
}

#[test]
fn deadlines_are_ten_seconds_to_ten_minutes() {
    let pubsub = pubsub();
    let name = |id: usize| format!("projects/project/subscriptions/deadline{id}");
    for (id, (seconds, expected)) in [(0, 10), (600, 600), (10, 10)].into_iter().enumerate() {
        let made = pubsub.create_subscription(&OWNER, &subscription(&name(id), seconds));
        assert_eq!(made.unwrap().ack_deadline, expected);
    }
    for seconds in [1, 601, -1, i64::MAX] {
        let refused = pubsub.create_subscription(&OWNER, &subscription(&name(9), seconds));
        assert_eq!(refused.unwrap_err().code, 400, "{seconds}");
    }
}

#[test]
fn names_have_the_form_of_google() {
    let pubsub = pubsub();
    let add = |name: &str| {
        pubsub
            .create_topic(&OWNER, name)
            .map_err(|status| status.code)
    };
    for id in ["topics", "a-._~+%", &"a".repeat(255)] {
        assert_eq!(add(&format!("projects/project/topics/{id}")), Ok(()));
    }
    for bad in [
        "projects/project/topics",
        "projects/project/topics/",
        "projects/project/topics/ab",
        "projects/project/topics/1topic",
        "projects/project/topics/google",
        "projects/project/topics/a space",
        "projects/project/topics/a/b",
        "projects/project/subscriptions/topic",
    ] {
        assert_eq!(add(bad), Err(400), "{bad}");
    }
}

#[test]
fn refuses_requests_without_ids() {
    let refused = pubsub().acknowledge(&OWNER, SUBSCRIPTION, &[]);
    assert_eq!(refused.unwrap_err().code, 400);
}

#[test]
fn messages_are_kept_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let queues = Stored::open(folder.path(), "pubsub", || Ok::<_, ()>(Queues::default()));
        service(queues.unwrap())
    };
    let first = open();
    fill(&first);
    let delivery = pull(&first, 0).unwrap();
    let second = open();
    assert!(pull(&second, 9).is_none());
    let again = pull(&second, 10).unwrap();
    assert_eq!(again.delivered, delivery.delivered);
    let found = second.get(&OWNER, SUBSCRIPTION).unwrap();
    assert_eq!(
        found,
        Resource::Subscription(subscription(SUBSCRIPTION, 10))
    );
}
