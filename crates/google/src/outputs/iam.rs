//! Grants as the `bindings` of a policy (IAM v1, `Policy`). There is no etag: the bindings are to be
//! merged into a policy, not to replace it.

use serde_json::json;

use super::{
    ImageGrant, KeyGrant, NewProvider, Output, Printed, ProviderOutput, Settings, Unprintable,
};

pub(super) const OUTPUT: Output = Output {
    name: "iam",
    about: "The bindings of an IAM policy, as JSON",
    print,
};

pub(super) const PROVIDER: ProviderOutput = ProviderOutput {
    name: "iam",
    about: "The body of a request to create a provider, as JSON",
    print: provider,
};

fn provider(new: &NewProvider<'_>, _: &Settings<'_>) -> Result<Printed, Unprintable> {
    Ok(Printed::plain(format!("{:#}", json!(new.body))))
}

fn print(grant: &ImageGrant<'_>) -> Result<Printed, Unprintable> {
    let KeyGrant { role, member, .. } = grant.granted;
    let bindings = json!({"bindings": [{"role": role, "members": [member]}]});
    Ok(Printed::plain(format!("{bindings:#}")))
}
