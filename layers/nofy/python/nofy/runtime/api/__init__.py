"""The HTTPS API's edge: requests in, resources and problem documents out."""
