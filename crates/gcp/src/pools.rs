//! Workload identity pools, their providers, and roles (IAM v1).

use console::hint::Hinted;
use google::Role;
use google::identity::Pool;
use grant::live;
use serde::Deserialize;
use signer::{Credentials, Endpoint};

use crate::rest::{Asked, Request, Rest};

/// The public URL of IAM.
const PUBLIC: &str = "https://iam.googleapis.com";
/// Providers per page, the most that IAM answers.
const PAGE: usize = 100;
/// Pages at the most. A pool of a project can have at most 300 providers by IAM's default quota.
const PAGES: usize = 20;

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
    /// It may not be read, or the service does not answer.
    pub async fn find(&self, pool: &Pool) -> Result<Option<live::Pool>, Hinted> {
        let (doing, path) = (format!("reading {pool}"), format!("v1/{pool}"));
        self.0.find(&request(&doing, &path)).await
    }

    /// Reads all providers of a pool, also those that were deleted.
    ///
    /// # Errors
    /// The pool does not exist, its providers may not be read, there are too many, or the service does not answer.
    pub async fn providers(&self, pool: &Pool) -> Result<Vec<live::Provider>, Hinted> {
        let doing = format!("reading the providers of {pool}");
        let (mut providers, mut token) = (Vec::new(), String::new());
        for _ in 0..PAGES {
            let page: Page = self.0.call(&request(&doing, &path(pool, &token))).await?;
            providers.extend(page.workload_identity_pool_providers);
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(providers);
            }
        }
        let limit = PAGES * PAGE;
        Err(Hinted::new(format_args!("{doing}: more than {limit}")).hinting(MANY))
    }

    /// The permissions of a role; `None` if it does not exist, or may not be read.
    ///
    /// # Errors
    /// The service does not answer, or answers something else.
    pub async fn permissions(&self, role: &Role) -> Result<Option<Vec<String>>, Hinted> {
        let request = Request {
            doing: &format!("reading {role}"),
            path: &format!("v1/{role}"),
            ..request("", "")
        };
        match self.0.ask::<Allowed>(&request).await? {
            Asked::Answer(role) => Ok(Some(role.included_permissions)),
            Asked::Absent | Asked::Denied(_) => Ok(None),
        }
    }
}

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
        let first = r#"{"workloadIdentityPoolProviders": [{"name": "a"}], "nextPageToken": "x&y"}"#;
        let second = r#"{"workloadIdentityPoolProviders": [{"name": "b", "state": "DELETED"}]}"#;
        let (found, asked) = ask(vec![(200, first), (200, second)]).await;
        let names: Vec<_> = found.unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["a", "b"]);
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
    #[tokio::test]
    async fn a_role_that_may_not_be_read_is_unknown_and_one_without_permissions_is_not() {
        for (status, body, expected) in [
            (
                200,
                r#"{"name": "x", "includedPermissions": ["a.b.c"]}"#,
                Some(vec!["a.b.c".to_owned()]),
            ),
            (200, r#"{"name": "x"}"#, Some(vec![])),
            (403, "", None),
            (404, "", None),
        ] {
            let (endpoint, served) = serve(vec![(status, body)]);
            let pools = Pools::open(Some(&endpoint), anonymous::Builder::new().build()).unwrap();
            let role = "projects/one/roles/own".parse().unwrap();
            assert_eq!(pools.permissions(&role).await.unwrap(), expected);
            let asked = served.join().unwrap();
            assert_eq!(asked, ["GET /v1/projects/one/roles/own HTTP/1.1"]);
        }
    }
}
