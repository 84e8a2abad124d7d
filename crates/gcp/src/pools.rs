//! Workload identity pools, their providers, and roles (IAM v1).

use std::fmt::Display;

use console::hint::Hinted;
use content::printable;
use google::Role;
use google::identity::Pool;
use grant::live::{self, Unread};
use serde::Deserialize;
use signer::{Credentials, Endpoint};

use crate::rest::{Request, Rest, unexpected};

/// The public URL of IAM.
const PUBLIC: &str = "https://iam.googleapis.com";
/// Providers per page, the most that IAM answers.
const PAGE: usize = 100;
/// The most pages that are read. A pool of a project can have at most 300 providers by IAM's default quota.
const PAGES: usize = 20;
/// The longest name shown of an answer, in characters.
const NAME: usize = 200;

/// The service that has workload identity pools and roles.
#[derive(Clone, Debug)]
pub struct Pools(Rest);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    workload_identity_pool_providers: Vec<live::Provider>,
    #[serde(default)]
    next_page_token: String,
}

/// A resource, and the name that the answer has for it.
#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(flatten)]
    resource: T,
}

impl<T> Named<T> {
    /// The resource, if it is the one that was asked for.
    fn checked(self, request: &Request<'_>, expected: &impl Display) -> Result<T, Hinted> {
        let Self { name, resource } = self;
        match name == expected.to_string() {
            true => Ok(resource),
            false => Err(other(request, expected, &name)),
        }
    }
}

/// The answer is about another resource.
fn other(request: &Request<'_>, expected: impl Display, found: &str) -> Hinted {
    let found = printable(found, NAME);
    unexpected(
        request,
        format_args!("expected {expected}, found `{found}`"),
    )
}

/// What a role allows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allowed {
    #[serde(default)]
    included_permissions: Vec<String>,
}

impl Pools {
    /// The service at `endpoint`, or at its public URL.
    ///
    /// # Errors
    /// HTTPS cannot be used.
    pub fn open(endpoint: Option<&Endpoint>, credentials: Credentials) -> Result<Self, Hinted> {
        Rest::new(endpoint, PUBLIC, credentials).map(Self)
    }

    /// Reads a pool that may not exist.
    ///
    /// # Errors
    /// It may not be read, or the service does not answer, or answers something else.
    pub async fn find(&self, pool: &Pool) -> Result<Option<live::Pool>, Hinted> {
        let (doing, path) = (format!("reading {pool}"), format!("v1/{pool}"));
        let request = request(&doing, &path);
        let found: Option<Named<_>> = self.0.find(&request).await?;
        let found = found.map(|found| found.checked(&request, pool));
        found.transpose()
    }

    /// Reads all providers of a pool, also those that were deleted.
    ///
    /// # Errors
    /// The pool does not exist, its providers may not be read, there are too many, or the service does not answer, or answers
    /// something else.
    pub async fn providers(&self, pool: &Pool) -> Result<Vec<live::Provider>, Hinted> {
        let doing = format!("reading the providers of {pool}");
        let (mut providers, mut token) = (Vec::new(), String::new());
        let names = format!("{pool}/providers/");
        for _ in 0..PAGES {
            let path = path(pool, &token);
            let request = request(&doing, &path);
            let page: Page = self.0.call(&request).await?;
            let page_of_pool = page.workload_identity_pool_providers;
            let foreign = page_of_pool.iter().find(|it| !is_below(&names, &it.name));
            if let Some(foreign) = foreign {
                let expected = format_args!("a name that begins with {names}");
                return Err(other(&request, expected, &foreign.name));
            }
            providers.extend(page_of_pool);
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(providers);
            }
        }
        let limit = PAGES * PAGE;
        Err(Hinted::new(format_args!("{doing}: more than {limit}")).hinting(MANY))
    }

    /// The permissions of a role, or why they could not be read: the role does not exist, or access is denied.
    ///
    /// # Errors
    /// The service does not answer, or answers something else.
    pub async fn permissions(&self, role: &Role) -> Result<Result<Vec<String>, Unread>, Hinted> {
        let request = Request {
            doing: &format!("reading {role}"),
            path: &format!("v1/{role}"),
            denied: ROLE,
            absent: DELETED,
            ..request("", "")
        };
        let found: Named<Allowed> = match self.0.ask(&request).await?.read() {
            Ok(found) => found,
            Err(unread) => return Ok(Err(unread)),
        };
        let role = found.checked(&request, role)?;
        Ok(Ok(role.included_permissions))
    }
}

/// Whether a name is that of a resource directly below the one with the prefix.
fn is_below(prefix: &str, name: &str) -> bool {
    let id = name.strip_prefix(prefix);
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

const ROLE: &str =
    "the credentials need iam.roles.get where the role is defined, which roles/iam.roleViewer has";
const DELETED: &str = "remove the bindings of a role that does not exist";
const MANY: &str = "a pool for a grant has one provider: create a pool of its own";

fn path(pool: &Pool, token: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("pageSize", &PAGE.to_string());
    query.append_pair("showDeleted", "true");
    if !token.is_empty() {
        query.append_pair("pageToken", token);
    }
    format!("v1/{pool}/providers?{}", query.finish())
}

fn request<'a>(doing: &'a str, path: &'a str) -> Request<'a> {
    Request {
        doing,
        path,
        body: None,
        denied: "the credentials need iam.workloadIdentityPools.get and iam.workloadIdentityPoolProviders.list in the project \
                 of the pool, which roles/iam.workloadIdentityPoolViewer has",
        absent: "check the pool in the grant, and that it was created",
        failed: "check the network and the endpoint, if one is given, and repeat the command",
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_auth::credentials::anonymous;

    use super::*;
    use crate::testing::serve;

    const POOL: &str = "projects/1/locations/global/workloadIdentityPools/trusted";

    /// A service that answers one request after the other, and what each asked for.
    async fn ask(
        answers: Vec<(u16, &'static str)>,
    ) -> (Result<Vec<live::Provider>, Hinted>, Vec<String>) {
        let (endpoint, served) = serve(answers);
        let anonymous = anonymous::Builder::new().build();
        let pools = Pools::open(Some(&endpoint), anonymous).unwrap();
        let answer = pools.providers(&POOL.parse().unwrap()).await;
        (answer, served.join().unwrap())
    }

    #[tokio::test]
    async fn reads_all_pages() {
        let first = r#"{"workloadIdentityPoolProviders": [{"name": "projects/1/locations/global/workloadIdentityPools/trusted/providers/a"}],
            "nextPageToken": "x&y"}"#;
        let second = r#"{"workloadIdentityPoolProviders": [
            {"name": "projects/1/locations/global/workloadIdentityPools/trusted/providers/b", "state": "DELETED"}]}"#;
        let (found, asked) = ask(vec![(200, first), (200, second)]).await;
        let names: Vec<_> = found.unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["a", "b"].map(|id| format!("{POOL}/providers/{id}")));
        let query = format!("GET /v1/{POOL}/providers?pageSize=100&showDeleted=true");
        assert_eq!(
            asked,
            [
                format!("{query} HTTP/1.1"),
                format!("{query}&pageToken=x%26y HTTP/1.1")
            ]
        );
    }

    #[tokio::test]
    async fn an_error_is_never_an_empty_list() {
        let message =
            r#"{"error": {"code": 403, "message": "no\u001b[2J", "status": "PERMISSION_DENIED"}}"#;
        for (status, body, fault, hint) in [
            (
                403,
                message,
                "status 403: no",
                "iam.workloadIdentityPoolProviders.list",
            ),
            (404, "", "status 404", "check the pool"),
            (503, "x", "status 503", "repeat the command"),
            (200, "x", "reading the answer: ", "check that the endpoint"),
        ] {
            let error = ask(vec![(status, body)]).await.0.unwrap_err();
            let start = format!("reading the providers of {POOL}: {fault}");
            assert!(error.to_string().starts_with(&start), "{error}");
            assert!(!error.to_string().contains('\u{1b}'), "{error}");
            assert!(error.hint().unwrap().contains(hint), "{error}");
        }
    }

    /// What the service answers about a role.
    async fn ask_role(
        status: u16,
        body: &'static str,
    ) -> Result<Result<Vec<String>, Unread>, Hinted> {
        let (endpoint, served) = serve(vec![(status, body)]);
        let pools = Pools::open(Some(&endpoint), anonymous::Builder::new().build()).unwrap();
        let role = "projects/one/roles/own".parse().unwrap();
        let answer = pools.permissions(&role).await;
        let asked = served.join().unwrap();
        assert_eq!(asked, ["GET /v1/projects/one/roles/own HTTP/1.1"]);
        answer
    }

    #[tokio::test]
    async fn a_role_that_may_not_be_read_is_unknown_and_one_without_permissions_is_not() {
        for (body, expected) in [
            (
                r#"{"name": "projects/one/roles/own", "includedPermissions": ["a.b.c"]}"#,
                vec!["a.b.c".to_owned()],
            ),
            (r#"{"name": "projects/one/roles/own"}"#, vec![]),
        ] {
            assert_eq!(ask_role(200, body).await.unwrap(), Ok(expected));
        }
        for (status, hint) in [(403, ROLE), (404, DELETED)] {
            let unread = ask_role(status, "").await.unwrap().unwrap_err();
            let fault = format!("reading projects/one/roles/own: status {status}");
            assert_eq!((unread.fault, unread.hint), (fault, hint));
        }
    }

    #[tokio::test]
    async fn an_answer_about_another_resource_is_an_error() {
        for body in [r#"{}"#, r#"{"includedPermissions": []}"#] {
            let error = ask_role(200, body).await.unwrap_err().to_string();
            assert!(error.contains("missing field `name`"), "{error}");
        }
        let other = r#"{"name": "projects/one/roles/other", "includedPermissions": []}"#;
        let error = ask_role(200, other).await.unwrap_err().to_string();
        let fault = "expected projects/one/roles/own, found `projects/one/roles/other`";
        assert!(error.ends_with(fault), "{error}");

        for name in [
            "a",
            "projects/1/locations/global/workloadIdentityPools/other/providers/a",
        ] {
            let page = format!(r#"{{"workloadIdentityPoolProviders": [{{"name": "{name}"}}]}}"#);
            let error = ask(vec![(200, page.leak())])
                .await
                .0
                .unwrap_err()
                .to_string();
            assert!(error.ends_with(&format!("found `{name}`")), "{error}");
        }

        let other = r#"{"name": "projects/1/locations/global/workloadIdentityPools/other", "state": "ACTIVE"}"#;
        for (body, fault) in [
            (r#"{"state": "ACTIVE"}"#, "missing field"),
            (other, "/other`"),
        ] {
            let (endpoint, _) = serve(vec![(200, body)]);
            let pools = Pools::open(Some(&endpoint), anonymous::Builder::new().build()).unwrap();
            let error = pools.find(&POOL.parse().unwrap()).await.unwrap_err();
            assert!(error.to_string().contains(fault), "{error}");
        }
    }
}
