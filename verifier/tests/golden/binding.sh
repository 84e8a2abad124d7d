gcloud kms keys add-iam-policy-binding data \
  --project=collaborator --location=global --keyring=ring \
  --role=roles/cloudkms.cryptoKeyDecrypter \
  --member='principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/trusted-workloads/attribute.image_digest/sha256:1352add297ed015b70d2cd039cdde01eda30a283e418017cd4eb064e5b60e71b' \
  --condition=None
