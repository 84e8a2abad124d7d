use super::*;
use serde_json::{Value, json};

fn project() -> ProjectNumber {
    "1".parse().unwrap()
}

fn add(change: impl FnOnce(&mut Value)) -> Result<(), u16> {
    let mut body = json!({
        "oidc": {"issuerUri": "https://issuer.example"},
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": "assertion.a == 'b'",
    });
    change(&mut body);
    let mut pools = Pools::default();
    let pool = pools.add_pool(project(), "pool", Pool::default()).unwrap();
    let provider = crate::protojson::parse(body.to_string().as_bytes());
    let provider = provider.map_err(|status| status.code)?;
    let added = pools.add_provider(&pool, "provider", provider);
    added.map(drop).map_err(|status| status.code)
}

#[test]
fn limits_are_those_of_google() {
    let mapped =
        |target: &str, expression: &str| add(|p| p["attributeMapping"][target] = expression.into());
    assert_eq!(mapped("google.groups", "assertion.groups"), Ok(()));
    assert_eq!(
        mapped(&format!("attribute.{}", "a".repeat(100)), "'a'"),
        Ok(())
    );
    assert_eq!(
        mapped("attribute.a", &format!("'{}'", "a".repeat(2046))),
        Ok(())
    );
    let bad = [
        mapped("foo", "'a'"),
        mapped("google.nonsense", "'a'"),
        mapped("attribute.", "'a'"),
        mapped("attribute.Bad-Key", "'a'"),
        mapped(&format!("attribute.{}", "a".repeat(101)), "'a'"),
        mapped("attribute.a", &format!("'{}'", "a".repeat(2047))),
        mapped("attribute.a", "a."),
    ];
    assert_eq!(bad, [Err(400); 7]);
}

#[test]
fn counts_have_limits() {
    let attributes = |count: usize| {
        add(|p| {
            (0..count).for_each(|i| p["attributeMapping"][format!("attribute.a{i}")] = "'a'".into())
        })
    };
    assert_eq!((attributes(50), attributes(51)), (Ok(()), Err(400)));
    let audiences = |many: usize, long: usize| {
        add(|p| p["oidc"]["allowedAudiences"] = json!(vec!["a".repeat(long); many]))
    };
    assert_eq!(audiences(10, 256), Ok(()));
    assert_eq!((audiences(11, 1), audiences(1, 257)), (Err(400), Err(400)));
    let condition = |text: &str| add(|p| p["attributeCondition"] = text.into());
    assert_eq!(condition(&format!("1 == 1{}", " ".repeat(4090))), Ok(()));
    assert_eq!(condition(&"!".repeat(4097)), Err(400));
    assert_eq!(condition(" true "), Err(400));
    assert_eq!(add(|p| p["attributeMapping"] = json!({})), Err(400));
}

#[test]
fn ids_have_the_form_of_google() {
    let words = |id: &str| {
        let mut pools = Pools::default();
        let refused = pools.add_pool(project(), id, Pool::default()).err();
        let pool = pools.add_pool(project(), "pool", Pool::default()).unwrap();
        let body = json!({
            "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"google.subject": "assertion.sub"},
        });
        let provider = pools
            .add_provider(&pool, id, serde_json::from_value(body).unwrap())
            .err();
        let rest = |status: Status| {
            let message = status.message;
            message
                .split_once(&format!(": {id}. "))
                .unwrap()
                .1
                .to_owned()
        };
        assert_eq!(refused.clone().map(rest), provider.map(rest), "{id}");
        refused.map(|status| status.message)
    };
    for id in ["abcd", "0-00", "my-pool-1", &"a".repeat(32), "agcp-"] {
        assert_eq!(words(id), None, "{id}");
    }
    for id in ["", "abc", "Bad_Pool", "a.b.c", "p\u{f6}ol", &"a".repeat(33)] {
        assert!(words(id).unwrap().contains("[a-z0-9-]"), "{id}");
    }
    assert!(
        words("gcp-pool")
            .unwrap()
            .contains("reserved for use by Google")
    );
}

#[test]
fn an_issuer_is_an_https_address() {
    let with = |uri: &str| add(|p| p["oidc"]["issuerUri"] = uri.into());
    for uri in ["https://issuer.example", "https://issuer.example/a/b/"] {
        assert_eq!(with(uri), Ok(()), "{uri}");
    }
    for uri in [
        "http://issuer.example",
        "issuer.example",
        "https://",
        "https://issuer.example?a=b",
        "https://issuer.example#a",
        "https://user@issuer.example",
        "",
    ] {
        assert_eq!(with(uri), Err(400), "{uri}");
    }
    assert_eq!(add(|p| p["displayName"] = "a".repeat(33).into()), Err(400));
    assert_eq!(add(|p| p["description"] = "a".repeat(257).into()), Err(400));
}

#[test]
fn a_disabled_pool_rejects_all_tokens() {
    let provider = json!({
        "oidc": {"issuerUri": "https://issuer.example"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    for disabled in [false, true] {
        let mut pools = Pools::default();
        let body = json!({"disabled": disabled, "displayName": "A pool"});
        let pool = pools
            .add_pool(project(), "pool", serde_json::from_value(body).unwrap())
            .unwrap();
        let name = pools
            .add_provider(
                &pool,
                "provider",
                serde_json::from_value(provider.clone()).unwrap(),
            )
            .unwrap();
        assert_eq!(pools.provider(&name).is_none(), disabled);
    }
}

#[test]
fn refuses_what_is_not_emulated() {
    assert_eq!(add(|p| p["oidc"]["jwksJson"] = "{}".into()), Err(501));
    assert_eq!(add(|p| p["aws"] = json!({"accountId": "1"})), Err(501));
    assert_eq!(add(|p| p["oidc"]["unknown"] = true.into()), Err(400));
    assert_eq!(add(|p| p["unknown"] = true.into()), Err(400));
    for mode in [json!("TRUST_DOMAIN"), json!(2)] {
        let pool = crate::protojson::parse::<Pool>(json!({"mode": mode}).to_string().as_bytes());
        assert_eq!(pool.unwrap_err().code, 400);
    }
}

#[test]
fn requests_are_messages() {
    assert_eq!(add(|p| p["state"] = "ACTIVE".into()), Ok(()));
    assert_eq!(add(|p| p["displayName"] = Value::Null), Ok(()));
    let oidc = json!({"issuer_uri": "https://issuer.example", "allowed_audiences": ["a"]});
    assert_eq!(add(|p| p["oidc"] = oidc), Ok(()));
    let list = json!(["https://issuer.example", [], ""]);
    assert_eq!(add(|p| p["oidc"] = list), Err(400));
    let list = crate::protojson::parse::<Pool>(br#"["name","desc",false,"","",""]"#);
    assert_eq!(list.unwrap_err().code, 400);
}

#[test]
fn expressions_name_declared_variables_and_conditions_are_boolean() {
    let condition = |text: &str| add(|p| p["attributeCondition"] = text.into());
    for text in [
        "assertion.admin",
        "assertion.a in ['b'] && google.subject.startsWith('s')",
        "attribute.a == 'b' || !has(assertion.b)",
        "assertion.l.exists(x, x == 'y')",
        "assertion.a == 'b' ? assertion.c : false",
        "type(assertion.a) == string",
    ] {
        assert_eq!(condition(text), Ok(()), "{text}");
    }
    for text in [
        "1",
        "'a'",
        "foo.bar",
        "foo",
        "foo.bar == 'a'",
        "assertion",
        "google.subject",
        "attribute.a",
        "assertion.l.map(x, x)",
        "assertion.l.exists(x, y)",
        "assertion.l.exists(x, true) && x",
        "assertion.a == 'b' && 1",
        "!size(assertion.a)",
        "assertion.a + 'b'",
        "resource.name == 'a'",
        "Foo{} == 1",
        "assertion.a == 'b' || 5",
        "assertion.a == 'b' || 'a' + 1 == 'a1'",
        "assertion.a == 'b' || google.nothing == 'a'",
        "assertion.a == 'b' || google.subject.matches('(')",
    ] {
        assert_eq!(condition(text), Err(400), "{text}");
    }
    let mapped = |text: &str| add(|p| p["attributeMapping"]["attribute.a"] = text.into());
    assert_eq!(mapped("assertion.a.extract('x/{a}')"), Ok(()));
    for text in ["foo", "google.subject", "1", "['a']"] {
        assert_eq!(mapped(text), Err(400), "{text}");
    }
}
